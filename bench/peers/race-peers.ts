/** The two bare models of the race as subjects: trials per second. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { NativeProgram } from './native.ts';
import type { RaceModelData } from './race-model.ts';

/** One sample of the bare JavaScript model: trials per second. */
export async function bareJavaScriptRace(vmas: number, milliseconds: number): Promise<number> {
  const memory = new SharedArrayBuffer(4 * (256 + 8 * (64 + 4 * vmas)));
  const start = (role: RaceModelData['role']): Worker =>
    new Worker(new URL('./race-model.js', import.meta.url), { workerData: { memory, role, vmas, milliseconds } satisfies RaceModelData });
  const scanner = start('scanner');
  const exiter = start('exiter');
  try {
    const [perSecond] = (await once(exiter, 'message')) as [number];
    return perSecond;
  } finally {
    await Promise.all([scanner.terminate(), exiter.terminate()]);
  }
}

/** One sample of the bare C model. */
export async function bareNativeRace(program: NativeProgram, vmas: number, milliseconds: number): Promise<number> {
  const [, perSecond] = await program.run(vmas, milliseconds);
  return perSecond as number;
}
