/** Ctrl-C: the first one stops the run in good order, the second one ends the process. */

/** A signal that is aborted by SIGINT or SIGTERM, until `done` is called. */
export interface Interrupt {
  signal: AbortSignal;
  done(): void;
}

export function onInterrupt(say: (text: string) => void): Interrupt {
  const controller = new AbortController();
  const heard = (): void => {
    if (controller.signal.aborted) process.exit(130);
    say('stopping');
    controller.abort();
  };
  process.on('SIGINT', heard);
  process.on('SIGTERM', heard);
  return {
    signal: controller.signal,
    done() {
      process.off('SIGINT', heard);
      process.off('SIGTERM', heard);
    },
  };
}
