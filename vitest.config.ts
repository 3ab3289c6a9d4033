import { readFileSync } from 'node:fs';
import { dirname, relative, sep } from 'node:path';
import { defineConfig } from 'vitest/config';
import { instrument } from './src/build/instrument.ts';

const root = import.meta.dirname;

export default defineConfig({
  plugins: [
    {
      // Tests run the TypeScript source: its kernel functions announce themselves as those of the build do.
      name: 'kernel-functions-announce-themselves',
      enforce: 'post',
      transform(code, id) {
        const file = relative(root, id).split(sep).join('/');
        if (!file.startsWith('src/kernel/') || !file.endsWith('.ts')) return null;
        const shadowStack = `${relative(dirname(id), `${root}/src/machine/shadow-stack.ts`)}`;
        return { code: instrument(code, file, shadowStack, (line) => line, readFileSync(id, 'utf8')), map: null };
      },
    },
  ],
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/build.ts'],
    // What is built runs as it is, not through the test runner's module loader, which makes each import slow to reach.
    server: { deps: { external: [/\/dist\//] } },
    // Where others share the cores, a thread can starve past any bound; a second failure is one.
    retry: process.env.CI ? 1 : 0,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
