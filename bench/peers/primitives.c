/*
 * Native locks and atomics, as a yardstick for ours.
 *
 * Usage: primitives NAME COUNT
 * Prints nanoseconds per operation (a there-and-back for ping-pong, one barrier for barrier).
 */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#endif
}

static pthread_spinlock_t spin;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static _Alignas(64) atomic_int word;
static _Alignas(64) atomic_int answer;
static long count;

static void compare_and_swap_lock(void)
{
	int expected = 0;

	while (!atomic_compare_exchange_strong(&word, &expected, 1))
		expected = 0;
}

/* The other side of the two-thread measurements. */
static void *ping_pong_partner(void *arg)
{
	for (long i = 1; i <= count; i++) {
		while (atomic_load_explicit(&word, memory_order_acquire) != i)
			relax();
		atomic_store_explicit(&answer, i, memory_order_release);
	}
	return arg;
}

/* A barrier for two: the last to arrive lets the other go. */
static void barrier(void)
{
	int round = atomic_load(&answer);

	if (atomic_fetch_add(&word, 1) == 1) {
		atomic_store(&word, 0);
		atomic_store(&answer, round + 1);
	} else {
		while (atomic_load_explicit(&answer, memory_order_acquire) == round)
			relax();
	}
}

static void *barrier_partner(void *arg)
{
	for (long i = 0; i < count; i++)
		barrier();
	return arg;
}

static void futex_wait_for(atomic_int *at, int seen)
{
	while (atomic_load(at) == seen)
		syscall(SYS_futex, at, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void futex_set(atomic_int *at, int value)
{
	atomic_store(at, value);
	syscall(SYS_futex, at, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *futex_partner(void *arg)
{
	for (long i = 1; i <= count; i++) {
		futex_wait_for(&word, i - 1);
		futex_set(&answer, i);
	}
	return arg;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	pthread_t other;
	double start;
	long sum = 0;

	count = argc > 2 ? atol(argv[2]) : 0;
	if (count <= 0) {
		fprintf(stderr, "usage: primitives NAME COUNT\n");
		return 1;
	}
	pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
	if (!strcmp(name, "ping-pong"))
		pthread_create(&other, NULL, ping_pong_partner, NULL);
	else if (!strcmp(name, "barrier"))
		pthread_create(&other, NULL, barrier_partner, NULL);
	else if (!strcmp(name, "futex"))
		pthread_create(&other, NULL, futex_partner, NULL);
	start = now();
	if (!strcmp(name, "spin")) {
		for (long i = 0; i < count; i++) {
			pthread_spin_lock(&spin);
			pthread_spin_unlock(&spin);
		}
	} else if (!strcmp(name, "cas")) {
		for (long i = 0; i < count; i++) {
			compare_and_swap_lock();
			atomic_store_explicit(&word, 0, memory_order_release);
		}
	} else if (!strcmp(name, "mutex")) {
		for (long i = 0; i < count; i++) {
			pthread_mutex_lock(&mutex);
			pthread_mutex_unlock(&mutex);
		}
	} else if (!strcmp(name, "rdlock")) {
		for (long i = 0; i < count; i++) {
			pthread_rwlock_rdlock(&rwlock);
			pthread_rwlock_unlock(&rwlock);
		}
	} else if (!strcmp(name, "wrlock")) {
		for (long i = 0; i < count; i++) {
			pthread_rwlock_wrlock(&rwlock);
			pthread_rwlock_unlock(&rwlock);
		}
	} else if (!strcmp(name, "load")) {
		for (long i = 0; i < count; i++)
			sum += atomic_load(&word);
	} else if (!strcmp(name, "store")) {
		for (long i = 0; i < count; i++)
			atomic_store(&word, i);
	} else if (!strcmp(name, "add")) {
		for (long i = 0; i < count; i++)
			sum += atomic_fetch_add(&word, 1);
	} else if (!strcmp(name, "ping-pong")) {
		for (long i = 1; i <= count; i++) {
			atomic_store_explicit(&word, i, memory_order_release);
			while (atomic_load_explicit(&answer, memory_order_acquire) != i)
				relax();
		}
		pthread_join(other, NULL);
	} else if (!strcmp(name, "barrier")) {
		for (long i = 0; i < count; i++)
			barrier();
		pthread_join(other, NULL);
	} else if (!strcmp(name, "futex")) {
		for (long i = 1; i <= count; i++) {
			futex_set(&word, i);
			futex_wait_for(&answer, i - 1);
		}
		pthread_join(other, NULL);
	} else {
		fprintf(stderr, "primitives: unknown name %s\n", name);
		return 1;
	}
	printf("%.4f\n", (now() - start) / count);
	return sum == 42 ? 3 : 0;
}
