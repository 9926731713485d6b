// What the worker answers: /api/ui/v1 (see openapi.json there) and the part of /api/v2 that the page uses.

export type Labels = Record<string, string>;

export interface Counts {
  active: number;
  silenced: number;
  inhibited: number;
  muted: number;
}

export interface Header {
  id: string;
  receiver?: string;
  key?: string;
  labels: Labels;
  alerts: number;
  states: Counts;
  severities: Record<string, number>;
  nextFlush?: string;
  mutedBy: string[];
}

export interface Groups {
  version: string;
  member: string;
  at: string;
  alerts: number;
  all: number;
  states: Counts;
  total: number;
  offset: number;
  groups: Header[];
}

export interface Row {
  fingerprint: string;
  labels: Labels;
  annotations: Labels;
  startsAt: string;
  receivers: string[];
  generatorURL?: string;
  silencedBy: { id: string; createdBy: string; comment: string; endsAt: string }[];
  inhibitedBy: { fingerprint: string; labels?: Labels }[];
  mutedBy: string[];
}

export interface Rows {
  version: string;
  total: number;
  offset: number;
  common: Labels;
  rows: Row[];
}

export interface Facets {
  version: string;
  alerts: number;
  labels: { name: string; distinct: number; alerts: number; values: { value: string; alerts: number }[] }[];
  receivers: Record<string, number>;
}

export interface Verdict {
  integration: string;
  index: number;
  code: string;
  text: string;
  last?: { at: string; said: string };
  history: { at: string; outcome: "accepted" | "gave_up" | "told_by_peer"; text: string }[];
}

export interface GroupVerdict {
  receiver: string;
  key: string;
  labels: Labels;
  nextFlush: string;
  integrations: Verdict[];
}

export interface Explained {
  fingerprint: string;
  labels: Labels;
  annotations: Labels;
  generatorURL?: string;
  state: "firing" | "resolved";
  startsAt: string;
  endsAt: string;
  updatedAt: string;
  silencedBy: string[];
  silences: Silence[];
  inhibitedBy?: { fingerprint: string; rule: number; name?: string; labels?: Labels };
  groups: GroupVerdict[];
  member: string;
}

export interface MatcherText {
  name: string;
  op: Op;
  value: string;
  text: string;
}

export type Op = "=" | "!=" | "=~" | "!~";

export type SilenceState = "active" | "pending" | "expired";

export interface Silence {
  id: string;
  state: SilenceState;
  matchers: MatcherText[];
  startsAt: string;
  endsAt: string;
  updatedAt: string;
  createdBy: string;
  comment: string;
  annotations: Labels;
  hits?: number;
}

export interface Silences {
  version: string;
  at: string;
  states: Record<SilenceState, number>;
  authors: Record<string, number>;
  total: number;
  offset: number;
  silences: Silence[];
}

export interface Preview {
  version: string;
  alerts: number;
  all: number;
  alreadySilenced: number;
  matchers: (MatcherText & { alerts: number })[];
  receivers: Record<string, number>;
  warnings: { code: string; text: string }[];
  rows: Row[];
}

export interface RouteNode {
  id: number;
  parent?: number;
  depth: number;
  matchers: string[];
  receiver: string;
  continue: boolean;
  groupBy: string[];
  groupWait: string;
  groupInterval: string;
  repeatInterval: string;
  muteTimeIntervals: string[];
  activeTimeIntervals: string[];
  muted: boolean;
  groups: number;
  alerts: number;
  shadowedBy?: number;
}

export interface Tree {
  version: string;
  at: string;
  configHash: string;
  routes: RouteNode[];
  receivers: { name: string; integrations: string[] }[];
  inhibitRules: { name?: string; source: string[]; target: string[]; equal: string[] }[];
  timeIntervals: { name: string; holds: boolean }[];
}

export interface Tested {
  version: string;
  at: string;
  labels: Labels;
  matches: {
    route: number;
    path: number[];
    receiver: string;
    integrations: string[];
    groupLabels: Labels;
    groupWait: string;
    groupInterval: string;
    repeatInterval: string;
    mutedBy: string[];
  }[];
}

export interface Member {
  name: string;
  address: string;
  position: number;
  this: boolean;
  lagSeconds: number;
  outlook?: { at: string; config?: string; sees: string[] };
}

export interface Cluster {
  version: string;
  at: string;
  enabled: boolean;
  settled: boolean;
  awaited: number;
  failed: number;
  member: string;
  members: Member[];
  configHash: string | null;
}

export interface System {
  member: string;
  user?: string;
  version: string;
  revision: string;
  branch: string;
  startedAt: string;
  externalUrl: string;
  waitsFor?: string;
  config: { hash: string; loadedAt: string; error?: string; original: string };
  receivers: { name: string; integration: string; sent: number; attemptsFailed: number; failed: number; reasons: Record<string, number> }[];
}

export interface Told {
  version: string;
  at: string;
  member: string;
  alerts: number;
  states: Counts;
  configHash: string | null;
  settled: boolean;
  peers: number;
}

/** A silence as API v2 takes it. */
export interface Draft {
  id?: string;
  matchers: { name: string; value: string; isRegex: boolean; isEqual: boolean }[];
  startsAt: string;
  endsAt: string;
  createdBy: string;
  comment: string;
  annotations?: Labels;
}
