// Help and the command palette, in the browser's own dialogs.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { actions, type Action } from "../keys";

export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    ref.current?.showModal();
    return () => {
      // to where it was opened from
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog ref={ref} aria-label={title} onClose={onClose} onClick={(event) => event.target === ref.current && onClose()}>
      {children}
    </dialog>
  );
}

export function Help({ onClose }: { onClose: () => void }) {
  const all = actions().filter((action) => action.keys.length > 0);
  return (
    <Dialog title="Keys" onClose={onClose}>
      <h2>Keys</h2>
      <dl class="keys">
        {all.map((action) => (
          <div>
            <dt>
              {action.keys.map((key) => (
                <kbd>{key}</kbd>
              ))}
            </dt>
            <dd>{action.title}</dd>
          </div>
        ))}
      </dl>
      <button type="button" onClick={onClose}>
        Close
      </button>
    </Dialog>
  );
}

export function Palette({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState("");
  const [chosen, choose] = useState(0);
  // those of when it was opened: opening it must not change them
  const all = useMemo(() => actions().filter((action) => !action.quiet), []);
  const found = all.filter((action) => matches(action, text));
  const run = (action: Action | undefined) => {
    if (!action) return;
    onClose();
    // once the dialog is gone, so that focus may go elsewhere
    setTimeout(action.run);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0 && found.length > 0) {
      event.preventDefault();
      choose((chosen + step + found.length) % found.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(found[chosen]);
    }
  };
  return (
    <Dialog title="Commands" onClose={onClose}>
      <input
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-controls="commands"
        aria-activedescendant={found.length > 0 ? `command-${chosen}` : undefined}
        aria-label="Command"
        placeholder="What to do?"
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          choose(0);
        }}
        onKeyDown={onKeyDown}
        // a dialog's first field
        autofocus
      />
      <ul id="commands" role="listbox" aria-label="Commands">
        {found.map((action, at) => (
          <li
            id={`command-${at}`}
            role="option"
            aria-selected={at === chosen}
            onClick={() => run(action)}
          >
            <span>{action.title}</span>
            {action.keys[0] && <kbd>{action.keys[0]}</kbd>}
          </li>
        ))}
      </ul>
      {found.length === 0 && <p>Nothing of that name.</p>}
    </Dialog>
  );
}

function matches(action: Action, text: string): boolean {
  const title = action.title.toLowerCase();
  return text.toLowerCase().split(/\s+/).every((word) => title.includes(word));
}
