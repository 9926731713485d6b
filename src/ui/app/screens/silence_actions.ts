// What is done to silences, from wherever they are shown. All of it goes through API v2, as amtool does it.
import { expireSilence, setSilence } from "../api/client";
import type { Draft, Labels, Silence } from "../api/types";
import { asRefused, say } from "../parts/basics";
import { author, zone } from "../prefs";
import { parseSpan, stamp } from "../time";

export function draftOf(silence: Silence): Draft {
  return {
    id: silence.id,
    matchers: silence.matchers.map(({ name, value, op }) => ({
      name,
      value,
      isRegex: op === "=~" || op === "!~",
      isEqual: op === "=" || op === "=~",
    })),
    startsAt: silence.startsAt,
    endsAt: silence.endsAt,
    createdBy: silence.createdBy,
    comment: silence.comment,
    annotations: silence.annotations,
  };
}

const ACK_LASTS = "1h";

/** Says that somebody looks after it: a short silence of exactly this alert. `false`: nobody knows who. */
export async function acknowledge(labels: Labels): Promise<boolean> {
  const by = author();
  if (!by) return false;
  const [start, end] = [new Date(), new Date(Date.now() + (parseSpan(ACK_LASTS) ?? 0))];
  const matchers = Object.entries(labels).map(([name, value]) => ({ name, value, isRegex: false, isEqual: true }));
  const draft = { matchers, startsAt: start.toISOString(), endsAt: end.toISOString(), createdBy: by, comment: `${by} looks after it` };
  let id = "";
  const done = await attempt(async () => {
    id = await setSilence(draft);
  });
  const undo = async () => {
    if (await attempt(() => expireSilence(id))) say("not acknowledged any more");
  };
  if (done) say(`acknowledged: silenced until ${stamp(end.toISOString(), zone.value)}`, { title: "Undo", run: () => void undo() });
  return true;
}

/** Moves the end, never to an earlier time. */
export async function extend(silence: Silence, by: string): Promise<boolean> {
  const end = new Date(Math.max(new Date(silence.endsAt).getTime(), Date.now()) + (parseSpan(by) ?? 0)).toISOString();
  const done = await attempt(() => setSilence({ ...draftOf(silence), endsAt: end }));
  if (done) say(`ends at ${stamp(end, zone.value)} now`);
  return done;
}

/** Ends it now; for a while that can be undone by making it anew. */
export async function expire(silence: Silence, again?: () => void): Promise<boolean> {
  const done = await attempt(() => expireSilence(silence.id));
  if (done) {
    const { id: _, ...draft } = draftOf(silence);
    const undo = async () => {
      const start = new Date(Math.max(Date.now(), new Date(draft.startsAt).getTime())).toISOString();
      if (await attempt(() => setSilence({ ...draft, startsAt: start }))) say("the silence is back, with another id");
      again?.();
    };
    say("silence expired", { title: "Undo", run: () => void undo() });
  }
  return done;
}

/** Does the same to many, a few at a time; how many failed, and the first reason. */
export async function each(silences: Silence[], act: (silence: Silence) => Promise<unknown>): Promise<void> {
  const AT_ONCE = 6;
  const left = [...silences];
  const failed: string[] = [];
  const work = async () => {
    for (let silence = left.shift(); silence; silence = left.shift()) {
      try {
        await act(silence);
      } catch (error) {
        failed.push(asRefused(error).message);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const good = silences.length - failed.length;
  say(failed.length > 0 ? `${good} done, ${failed.length} failed: ${failed[0]}` : `${good} done`);
}

async function attempt(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    say(asRefused(error).message);
    return false;
  }
}
