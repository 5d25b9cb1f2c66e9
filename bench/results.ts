/** One figure of one row: what was measured in each run, and the middle of it. */
export interface Figure {
  name: string;
  unit: string;
  runs: number[];
  median: number;
}

export interface Row {
  what: string;
  /** What was measured. */
  ours: Figure[];
  /** What it is held against, measured in the same run; the first is the floor, the others are printed beside it. */
  floors: Figure[];
  /** Our first figure over the floor, for rows that have one. */
  ratio?: number;
  must: string;
  dream: string;
  /** Whether what it must be is reached. */
  isMet: boolean;
}

export interface Results {
  commit: string;
  measuredAt: string;
  cores: number;
  cpu: string;
  memoryGb: number;
  versions: Record<string, string>;
  rows: Row[];
}
