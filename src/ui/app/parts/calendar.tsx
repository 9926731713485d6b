// A month to pick a day from, beside a field that takes typed times as well.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { clockOf, dateOf, dayOf, firstDay, inMonths, moved, weeksOf } from "../calendar";
import { weekStart, zone } from "../prefs";
import { now } from "../time";

interface Props {
  /** What the day is for: `start`, `end`. */
  of: string;
  /** What is chosen now. */
  at: number;
  /** A date and a time as they are typed. */
  onPick: (text: string) => void;
}

export function Calendar({ of, at, onPick }: Props) {
  const [open, setOpen] = useState(false);
  const [day, setDay] = useState(0);
  const grid = useRef<HTMLTableElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const first = firstDay(weekStart.value, navigator.language);
  // at once: the next key may come before the next frame
  useLayoutEffect(() => {
    if (open) grid.current?.querySelector<HTMLElement>("[tabindex='0']")?.focus();
  }, [open, day]);
  const close = () => {
    setOpen(false);
    opener.current?.focus();
  };
  const toggle = () => {
    setDay(dayOf(at, zone.value));
    setOpen(!open);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (!open) return;
    const to = moved(day, event.key, first);
    if (event.key === "Escape") close();
    else if (to !== null) setDay(to);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const pick = (picked: number) => {
    onPick(`${dateOf(picked)} ${clockOf(at, zone.value)}`);
    close();
  };
  const weeks = weeksOf(day, first);
  const name = (options: Intl.DateTimeFormatOptions, of: number) =>
    new Intl.DateTimeFormat(navigator.language, { ...options, timeZone: "UTC" }).format(of);
  const month = new Date(day).getUTCMonth();
  const today = dayOf(now.value, zone.value);
  return (
    <span class="calendar" onKeyDown={onKeyDown}>
      <button ref={opener} type="button" aria-expanded={open} aria-haspopup="dialog" aria-label={`Pick the day of the ${of}`} onClick={toggle}>
        <span aria-hidden="true">▦</span>
      </button>
      {open && (
        <div role="dialog" aria-label={`Day of the ${of}`}>
          <div class="bar">
            <button type="button" aria-label="Month before" onClick={() => setDay(inMonths(day, -1))}>
              ‹
            </button>
            <b aria-live="polite">{name({ month: "long", year: "numeric" }, day)}</b>
            <button type="button" aria-label="Month after" onClick={() => setDay(inMonths(day, 1))}>
              ›
            </button>
          </div>
          <table ref={grid} role="grid" aria-label={name({ month: "long", year: "numeric" }, day)}>
            <thead>
              <tr>
                {weeks[0]?.map((one) => (
                  <th scope="col" abbr={name({ weekday: "long" }, one)}>
                    {name({ weekday: "short" }, one)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {weeks.map((week) => (
                <tr>
                  {week.map((one) => (
                    <td role="gridcell" aria-selected={one === dayOf(at, zone.value)}>
                      <button
                        type="button"
                        class={new Date(one).getUTCMonth() === month ? "" : "faint"}
                        tabIndex={one === day ? 0 : -1}
                        aria-current={one === today ? "date" : undefined}
                        aria-label={name({ dateStyle: "full" }, one)}
                        onClick={() => pick(one)}
                      >
                        {new Date(one).getUTCDate()}
                      </button>
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </span>
  );
}
