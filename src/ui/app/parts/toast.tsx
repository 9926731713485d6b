// What has just happened, at the bottom, with a way back where there is one.
import { useEffect, useState } from "preact/hooks";

interface Said {
  text: string;
  undo?: { title: string; run: () => void };
}

const SHOWN_MS = 4_000;
const UNDO_MS = 10_000;

export function Toasts() {
  const [said, set] = useState<Said | null>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const hear = (event: Event) => {
      const detail = (event as CustomEvent<Said>).detail;
      set(detail);
      clearTimeout(timer);
      timer = setTimeout(() => set(null), detail.undo ? UNDO_MS : SHOWN_MS);
    };
    addEventListener("say", hear);
    return () => {
      removeEventListener("say", hear);
      clearTimeout(timer);
    };
  }, []);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {said && (
        <div class="toast">
          {said.text}
          {said.undo && (
            <button
              type="button"
              onClick={() => {
                said.undo?.run();
                set(null);
              }}
            >
              {said.undo.title}
            </button>
          )}
        </div>
      )}
    </div>
  );
}
