// The list of alerts in windows: the worker has it all, the page what is in view and a little around.
import { signal } from "@preact/signals";
import { get, type Refused } from "../api/client";
import type { Counts, Groups, Header, Labels, Row, Rows } from "../api/types";
import { asRefused } from "../parts/basics";

/** Headers, or rows, that are asked for at once. */
const PAGE = 100;
/** So many rows are shown of groups that nobody has opened. */
const OPEN_AT_FIRST = 60;

/** One line of the list. */
export type Line =
  | { kind: "group"; index: number; header: Header | null }
  | { kind: "row"; group: string; index: number; row: Row | null; common: Labels };

interface Opened {
  id: string;
  index: number;
  count: number;
}

export interface Summary {
  alerts: number;
  all: number;
  total: number;
  states: Counts;
  version: string;
}

/** The list that one question asks for. */
export class List {
  readonly summary = signal<Summary | null>(null);
  readonly error = signal<Refused | null>(null);
  /** Grows when something of it came or went. */
  readonly changes = signal(0);
  private headers = new Map<number, Header>();
  private rows = new Map<string, Map<number, Row>>();
  private common = new Map<string, Labels>();
  private opened: Opened[] = [];
  private asked = new Set<string>();
  private epoch = 0;
  private decided = false;

  constructor(
    readonly query: string,
    /** All is one group without a header. */
    readonly flat: boolean,
    private readonly allOpen: boolean,
  ) {}

  get length(): number {
    const rows = this.opened.reduce((sum, { count }) => sum + count, 0);
    return this.flat ? rows : (this.summary.value?.total ?? 0) + rows;
  }

  /** What is on a line. */
  line(at: number): Line {
    if (this.flat) {
      const id = this.opened[0]?.id ?? "";
      return { kind: "row", group: id, index: at, row: this.rows.get(id)?.get(at) ?? null, common: {} };
    }
    let before = 0;
    for (const { id, index, count } of this.opened) {
      const start = index + before;
      if (at <= start) break;
      if (at <= start + count) {
        const row = at - start - 1;
        return { kind: "row", group: id, index: row, row: this.rows.get(id)?.get(row) ?? null, common: this.common.get(id) ?? {} };
      }
      before += count;
    }
    const index = at - before;
    return { kind: "group", index, header: this.headers.get(index) ?? null };
  }

  /** The line of a group's header. */
  lineOf(id: string): number {
    let before = 0;
    for (const group of this.opened) {
      if (group.id === id) return group.index + before;
      before += group.count;
    }
    return -1;
  }

  isOpen(id: string): boolean {
    return this.opened.some((group) => group.id === id);
  }

  toggle(header: Header, index: number, open = !this.isOpen(header.id)): void {
    this.opened = this.opened.filter((group) => group.id !== header.id);
    if (open) this.open(header, index);
    this.changes.value += 1;
  }

  /** Opens all groups that are known, or closes all. */
  toggleAll(open: boolean): void {
    this.opened = [];
    if (open) for (const [index, header] of this.headers) this.open(header, index);
    this.changes.value += 1;
  }

  private open(header: Header, index: number): void {
    this.opened.push({ id: header.id, index, count: header.alerts });
    this.opened.sort((a, b) => a.index - b.index);
  }

  /** Asks for whatever is missing between two lines. */
  show(from: number, to: number): void {
    if (!this.summary.value) return void this.askHeaders(0);
    for (let at = from; at < to; at += 1) {
      const line = this.line(at);
      if (line.kind === "group" && !line.header) void this.askHeaders(Math.floor(line.index / PAGE));
      if (line.kind === "row" && !line.row && line.group) void this.askRows(line.group, Math.floor(line.index / PAGE));
    }
  }

  /** Asks anew for what is between two lines, and forgets the rest. */
  async refresh(from: number, to: number): Promise<void> {
    const pages = new Set<number>([0]);
    const rows = new Map<string, Set<number>>();
    for (let at = from; at < to; at += 1) {
      const line = this.line(at);
      if (line.kind === "group") pages.add(Math.floor(line.index / PAGE));
      else if (line.group) rows.set(line.group, (rows.get(line.group) ?? new Set()).add(Math.floor(line.index / PAGE)));
    }
    this.epoch += 1;
    this.asked.clear();
    const epoch = this.epoch;
    try {
      const heads = await Promise.all([...pages].map((page) => this.fetchHeaders(page)));
      const lists = await Promise.all(
        [...rows].flatMap(([id, wanted]) => [...wanted].map(async (page) => [id, await this.fetchRows(id, page)] as const)),
      );
      if (epoch !== this.epoch) return;
      this.headers.clear();
      this.rows.clear();
      heads.forEach((groups) => this.takeHeaders(groups));
      const known = new Map([...this.headers].map(([index, header]) => [header.id, { index, header }]));
      // groups move; one that isn't on a page that is known stays where it was
      this.opened = this.opened.flatMap((group) => {
        const found = known.get(group.id);
        if (found) return [{ id: group.id, index: found.index, count: found.header.alerts }];
        return this.headers.has(group.index) || group.index >= (this.summary.value?.total ?? 0) ? [] : [group];
      });
      this.opened.sort((a, b) => a.index - b.index);
      for (const [id, list] of lists) if (list) this.takeRows(id, list);
      if (this.opened.length === 0 && this.flat) this.decided = false;
      if (heads[0]) this.openFirst(heads[0]);
      this.error.value = null;
    } catch (error) {
      if (epoch === this.epoch) this.error.value = asRefused(error);
    }
    this.changes.value += 1;
  }

  private async askHeaders(page: number): Promise<void> {
    await this.ask(`groups ${page}`, async () => {
      const groups = await this.fetchHeaders(page);
      return () => {
        this.takeHeaders(groups);
        if (page === 0) this.openFirst(groups);
      };
    });
  }

  private async askRows(id: string, page: number): Promise<void> {
    await this.ask(`rows ${id} ${page}`, async () => {
      const rows = await this.fetchRows(id, page);
      return () => {
        if (rows) this.takeRows(id, rows);
        else this.opened = this.opened.filter((group) => group.id !== id);
      };
    });
  }

  private async ask(key: string, load: () => Promise<() => void>): Promise<void> {
    if (this.asked.has(key)) return;
    this.asked.add(key);
    const epoch = this.epoch;
    try {
      const take = await load();
      if (epoch !== this.epoch) return;
      take();
      this.error.value = null;
    } catch (error) {
      if (epoch !== this.epoch) return;
      this.error.value = asRefused(error);
      // the next look tries again
      setTimeout(() => this.asked.delete(key), 2_000);
    }
    this.changes.value += 1;
  }

  private fetchHeaders(page: number): Promise<Groups> {
    return get<Groups>("groups", this.window(page));
  }

  /** Nothing if the group is gone. */
  private async fetchRows(id: string, page: number): Promise<Rows | null> {
    const params = this.window(page);
    params.set("of", id);
    try {
      return await get<Rows>("rows", params);
    } catch (error) {
      if (asRefused(error).status === 404) return null;
      throw error;
    }
  }

  private window(page: number): URLSearchParams {
    const params = new URLSearchParams(this.query);
    params.set("offset", String(page * PAGE));
    params.set("limit", String(PAGE));
    return params;
  }

  private takeHeaders(groups: Groups): void {
    const { alerts, all, total, states, version } = groups;
    this.summary.value = { alerts, all, total, states, version };
    groups.groups.forEach((header, at) => this.headers.set(groups.offset + at, header));
  }

  private takeRows(id: string, rows: Rows): void {
    const known = this.rows.get(id) ?? new Map<number, Row>();
    rows.rows.forEach((row, at) => known.set(rows.offset + at, row));
    this.rows.set(id, known);
    this.common.set(id, rows.common);
    const group = this.opened.find((opened) => opened.id === id);
    if (group) group.count = rows.total;
  }

  private openFirst(groups: Groups): void {
    // a list that was empty until now is still to be decided on
    if (this.decided || groups.groups.length === 0) return;
    this.decided = true;
    let room = OPEN_AT_FIRST;
    for (const [at, header] of groups.groups.entries()) {
      if (!this.flat && !this.allOpen && room < header.alerts && at > 0) break;
      this.open(header, at);
      room -= header.alerts;
    }
  }
}
