// Which lines of a long list are in view. All lines are of the same height.
import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

export const LINE_PX = 32;
/** Lines beyond the edges that are drawn too. */
const OVERSCAN = 10;
/** Browsers cut off elements that are higher. */
const HEIGHT_MAX = 16_000_000;

export interface Viewport {
  from: number;
  to: number;
  /** Height of the whole. */
  height: number;
  /** Where a line is drawn. */
  top: (line: number) => number;
  ref: RefObject<HTMLDivElement | null>;
  scrollTo: (line: number) => void;
  atTop: boolean;
}

export function useViewport(lines: number): Viewport {
  const ref = useRef<HTMLDivElement>(null);
  const empty = lines === 0;
  const [place, setPlace] = useState({ top: 0, height: 800 });
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    const look = () => setPlace({ top: element.scrollTop, height: element.clientHeight });
    look();
    element.addEventListener("scroll", look, { passive: true });
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => {
      element.removeEventListener("scroll", look);
      observer.disconnect();
    };
    // a list without lines isn't drawn as one
  }, [empty]);
  const full = lines * LINE_PX;
  const height = Math.min(full, HEIGHT_MAX);
  // of a list that is too long for the browser, a pixel of the scroll bar is more than one of the list
  const scale = full > height ? (full - place.height) / (height - place.height) : 1;
  const offset = place.top * scale;
  const from = Math.max(0, Math.floor(offset / LINE_PX) - OVERSCAN);
  const to = Math.min(lines, Math.ceil((offset + place.height) / LINE_PX) + OVERSCAN);
  return {
    from,
    to,
    height,
    top: (line) => place.top + line * LINE_PX - offset,
    ref,
    scrollTo: (line) => {
      const element = ref.current;
      if (!element) return;
      const start = line * LINE_PX;
      const visible = element.clientHeight - LINE_PX;
      if (start < offset) element.scrollTop = start / scale;
      else if (start > offset + visible) element.scrollTop = (start - visible) / scale;
    },
    atTop: place.top < LINE_PX,
  };
}
