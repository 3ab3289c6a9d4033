/*
 * A bare native model of the race: one thread runs the unmerge pass, the other lets its process exit, trial after
 * trial. The same locks, counters and order as the emulated kernel, objects from malloc, and nothing else: no
 * validator, no tree but an array. What our paired trials could cost without all that makes them useful.
 *
 * Usage: race VMAS MILLISECONDS
 * Prints: trials, trials per second, hits (the pass found the tree destroyed).
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ALLOC_RANGE = 0x001, LOCK_EXTERN = 0x300 };

struct vma {
	unsigned long start, end;
	int flags, anon_vma;
};

struct mm {
	_Alignas(64) atomic_int users;
	atomic_int count;
	_Alignas(64) pthread_rwlock_t mmap_lock;
	atomic_int flags;
	struct vma *_Atomic root;
	int nr;
};

struct slot {
	struct mm *mm;
};

static struct mm *mm;
static int nr_vmas;

static _Alignas(64) pthread_spinlock_t mmlist_lock;
static struct slot *slots;	/* the list of slots: one or none; protected by mmlist_lock */
static struct slot *cursor;	/* protected by mmlist_lock */
static pthread_mutex_t thread_mutex = PTHREAD_MUTEX_INITIALIZER;

static _Alignas(64) atomic_int arrived;
static _Alignas(64) atomic_int generation;
static _Alignas(64) atomic_int stop;
static long hits;
static _Alignas(64) unsigned long sink;
static _Alignas(64) unsigned long exit_sink;

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#endif
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void meet(void)
{
	int seen = atomic_load(&generation);

	if (atomic_fetch_add(&arrived, 1) == 1) {
		atomic_store(&arrived, 0);
		atomic_store(&generation, seen + 1);
		return;
	}
	while (atomic_load_explicit(&generation, memory_order_acquire) == seen)
		relax();
}

static void mmdrop(struct mm *at)
{
	if (atomic_fetch_sub(&at->count, 1) == 1)
		free(at);
}

static void fork_process(void)
{
	struct vma *vmas = malloc(nr_vmas * sizeof(*vmas));
	struct slot *slot = malloc(sizeof(*slot));

	mm = aligned_alloc(64, sizeof(*mm));
	for (int i = 0; i < nr_vmas; i++) {
		vmas[i].start = (i + 1) * 0x10000ul;
		vmas[i].end = vmas[i].start + 4096;
		vmas[i].flags = 1;
		vmas[i].anon_vma = 1;
	}
	mm->nr = nr_vmas;
	pthread_rwlock_init(&mm->mmap_lock, NULL);
	atomic_store(&mm->users, 1);
	atomic_store(&mm->count, 2);
	atomic_store(&mm->flags, ALLOC_RANGE | LOCK_EXTERN);
	atomic_store(&mm->root, vmas);
	slot->mm = mm;
	pthread_spin_lock(&mmlist_lock);
	slots = slot;
	pthread_spin_unlock(&mmlist_lock);
}

static void unmerge_pass(void)
{
	struct slot *slot;

	pthread_mutex_lock(&thread_mutex);
	pthread_spin_lock(&mmlist_lock);
	slot = cursor = slots;
	pthread_spin_unlock(&mmlist_lock);
	if (slot) {
		struct mm *at = slot->mm;
		struct vma *v;

		pthread_rwlock_rdlock(&at->mmap_lock);
		v = atomic_load_explicit(&at->root, memory_order_acquire);
		if (!(atomic_load(&at->flags) & LOCK_EXTERN))
			hits++;
		for (int i = 0; v && i < at->nr; i++) {
			if (atomic_load(&at->users) == 0)
				break;
			if (v[i].flags && v[i].anon_vma)
				sink += v[i].end - v[i].start;
		}
		pthread_rwlock_unlock(&at->mmap_lock);
		pthread_spin_lock(&mmlist_lock);
		cursor = NULL;
		if (atomic_load(&at->users) == 0) {
			slots = NULL;
			pthread_spin_unlock(&mmlist_lock);
			free(slot);
			mmdrop(at);
		} else {
			pthread_spin_unlock(&mmlist_lock);
		}
	}
	pthread_mutex_unlock(&thread_mutex);
}

static void process_exit(void)
{
	struct slot *slot;
	struct vma *vmas;
	int easy = 0;

	if (atomic_fetch_sub(&mm->users, 1) != 1)
		abort();
	pthread_spin_lock(&mmlist_lock);
	slot = slots;
	if (slot && cursor != slot) {
		slots = NULL;
		easy = 1;
	}
	pthread_spin_unlock(&mmlist_lock);
	if (easy) {
		free(slot);
		mmdrop(mm);
	} else if (slot) {
		pthread_rwlock_wrlock(&mm->mmap_lock);
		pthread_rwlock_unlock(&mm->mmap_lock);
	}
	pthread_rwlock_rdlock(&mm->mmap_lock);
	vmas = atomic_load(&mm->root);
	for (int i = 0; i < mm->nr; i++)
		exit_sink += vmas[i].start;
	pthread_rwlock_unlock(&mm->mmap_lock);
	pthread_rwlock_wrlock(&mm->mmap_lock);
	atomic_store(&mm->root, NULL);
	free(vmas);
	atomic_store(&mm->flags, 0);
	pthread_rwlock_unlock(&mm->mmap_lock);
	mmdrop(mm);
}

static void *scanner(void *arg)
{
	for (;;) {
		meet();
		if (atomic_load(&stop))
			return arg;
		unmerge_pass();
		meet();
	}
}

int main(int argc, char **argv)
{
	double seconds = argc > 2 ? atof(argv[2]) / 1000 : 0;
	pthread_t other;
	long trials = 0;
	double start, took;

	nr_vmas = argc > 1 ? atoi(argv[1]) : 0;
	if (nr_vmas <= 0 || seconds <= 0) {
		fprintf(stderr, "usage: race VMAS MILLISECONDS\n");
		return 1;
	}
	pthread_spin_init(&mmlist_lock, PTHREAD_PROCESS_PRIVATE);
	pthread_create(&other, NULL, scanner, NULL);
	start = now();
	do {
		for (int i = 0; i < 256; i++) {
			fork_process();
			meet();
			process_exit();
			meet();
			if (slots)
				abort();
			trials++;
		}
		took = now() - start;
	} while (took < seconds);
	atomic_store(&stop, 1);
	meet();
	pthread_join(other, NULL);
	printf("%ld %.1f %ld\n", trials, trials / took, hits);
	return sink + exit_sink == 42 ? 3 : 0;
}
