/** The bytes that pages may hold at once, in flight and in batches alike, over all streams of a run. */
export interface Budget {
  /** Waits until `bytes` are free and takes them; more than the whole budget counts as all of it. Rejects when `signal` aborts. */
  take(bytes: number, signal: AbortSignal): Promise<Charge>;
  /** Takes `bytes` where they are free and nobody waits, else null. */
  takeNow(bytes: number): Charge | null;
  /** Set when someone waits: lanes then commit what they hold. */
  readonly pressed: boolean;
  /** Calls back when someone begins to wait; returns how to stop listening. */
  onPressure(listener: () => void): () => void;
}

/** A part of the budget that is taken. */
export interface Charge {
  /** Corrects the charge to what is really held, without waiting. */
  adjust(bytes: number): void;
  /** Gives it back; a second call does nothing. */
  release(): void;
}

export function createBudget(total: number): Budget {
  let free = total;
  const waiting: { bytes: number; start: () => void }[] = [];
  const listeners = new Set<() => void>();

  const settle = () => {
    while (waiting.length > 0 && waiting[0]!.bytes <= free) {
      const next = waiting.shift()!;
      free -= next.bytes;
      next.start();
    }
  };

  const charge = (taken: number): Charge => {
    let held = taken;
    const change = (bytes: number) => {
      free += held - bytes;
      held = bytes;
      settle();
    };
    return { adjust: change, release: () => change(0) };
  };

  const takeNow = (bytes: number): Charge | null => {
    if (waiting.length > 0 || bytes > free) return null;
    free -= bytes;
    return charge(bytes);
  };

  return {
    takeNow,
    take: (wanted, signal) => {
      const bytes = Math.min(wanted, total);
      const taken = takeNow(bytes);
      if (taken !== null) return Promise.resolve(taken);
      return new Promise((resolve, reject) => {
        const leave = () => {
          waiting.splice(waiting.indexOf(entry), 1);
          reject(signal.reason);
          settle();
        };
        const entry = {
          bytes,
          start: () => {
            signal.removeEventListener('abort', leave);
            resolve(charge(bytes));
          },
        };
        signal.throwIfAborted();
        signal.addEventListener('abort', leave, { once: true });
        waiting.push(entry);
        for (const listener of listeners) listener();
      });
    },
    get pressed() {
      return waiting.length > 0;
    },
    onPressure: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
