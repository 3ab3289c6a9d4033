/** Read sections, grace periods and callbacks, with several tasks played by one thread. */
import { afterEach, describe, expect, it } from 'vitest';
import { call_rcu, rcu_barrier, rcu_callback, rcu_head, rcu_read_lock, rcu_read_unlock, synchronize_rcu } from '../../src/kernel/rcu.ts';
import type { Ptr } from '../../src/machine/layout.ts';
import { staticStorage } from '../../src/machine/memory.ts';
import { setCurrent } from '../../src/machine/task-area.ts';

const heads = staticStorage('test_heads', 200 * rcu_head.SIZE).address;
const ran: number[] = [];
const note = rcu_callback('test_note', (head) => ran.push((head - heads) / rcu_head.SIZE));

function queue(i: number): void {
  call_rcu((heads + i * rcu_head.SIZE) as Ptr<'rcu_head'>, note);
}

/** Runs `body` as task `index`. */
function as(index: number, body: () => void): void {
  setCurrent(index);
  body();
  setCurrent(0);
}

describe('call_rcu', () => {
  afterEach(() => {
    rcu_barrier();
    ran.length = 0;
  });

  it('runs nothing before a reader that was there has left, however many come', () => {
    as(1, rcu_read_lock);
    for (let i = 0; i < 200; i++) queue(i);
    const early = ran.length;
    as(1, rcu_read_unlock);
    expect(early).toBe(0);
    rcu_barrier();
    expect(ran.length).toBe(200);
    expect(new Set(ran).size).toBe(200);
  });

  it('does not wait for readers that came after the grace period began', () => {
    for (let i = 0; i < 32; i++) queue(i);
    as(1, rcu_read_lock);
    for (let i = 32; i < 64; i++) queue(i);
    const early = ran.length;
    as(1, rcu_read_unlock);
    expect(early).toBe(32);
  });

  it('waits for the outermost of nested sections', () => {
    as(1, rcu_read_lock);
    as(1, rcu_read_lock);
    as(1, rcu_read_unlock);
    for (let i = 0; i < 96; i++) queue(i);
    const early = ran.length;
    as(1, rcu_read_unlock);
    expect(early).toBe(0);
    for (let i = 96; i < 128; i++) queue(i);
    expect(ran.length).toBe(32);
  });

  it('a reader that left and came back is another one', () => {
    as(1, rcu_read_lock);
    for (let i = 0; i < 32; i++) queue(i);
    as(1, rcu_read_unlock);
    as(1, rcu_read_lock);
    for (let i = 32; i < 64; i++) queue(i);
    const early = ran.length;
    as(1, rcu_read_unlock);
    expect(early).toBe(32);
  });
});

describe('synchronize_rcu', () => {
  it('returns at once when no section is open', () => {
    synchronize_rcu();
    rcu_barrier();
  });

  it('refuses to wait for itself', () => {
    rcu_read_lock();
    expect(() => synchronize_rcu()).toThrow('synchronize_rcu() inside a read section');
    expect(() => rcu_barrier()).toThrow('rcu_barrier() inside a read section');
    rcu_read_unlock();
  });
});
