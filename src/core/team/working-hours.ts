import { DateTime, IANAZone } from 'luxon';
import { z } from 'zod';

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

const clock = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$|^24:00$/, 'must be a time of day, like 09:00')
  .meta({ examples: ['09:00'] });
const range = z.object({ start: clock, end: clock });
const ranges = z.union([z.array(range).max(12), range.transform((one) => [one])]);

/** When a business works: ranges of each weekday on the clocks of a zone. A range that ends before it begins goes on into the next day. */
export const workingHours = z.object({
  timezone: z.string().refine(isZone, 'must be an IANA time zone, like Europe/Berlin'),
  schedule: z
    .partialRecord(z.enum(DAYS), ranges)
    .meta({ description: 'Several ranges a day; one that ends before it begins goes on into the next day.' }),
  holidays: z
    .array(z.iso.date())
    .max(400)
    .optional()
    .meta({ description: 'Days, like 2026-12-25, on which nothing begins.' }),
});
export type WorkingHours = z.infer<typeof workingHours>;

/** Whether it names a zone. An offset like +05:30 is one to JavaScript, and to Postgres the opposite one. */
export function isZone(name: string): boolean {
  return IANAZone.isValidZone(name) && !/^[+-]/.test(name);
}

interface Shift {
  start: DateTime;
  end: DateTime;
}

/** Whether it is a time of work. */
export function isWithin(hours: WorkingHours, at: Date): boolean {
  const today = localDay(hours, at);
  // What began yesterday may still go on.
  return [today.minus({ days: 1 }), today].some((day) =>
    shiftsOf(hours, day).some(
      ({ start, end }) => start.toMillis() <= at.getTime() && at.getTime() < end.toMillis(),
    ),
  );
}

const LONGEST_CLOSURE_DAYS = 400;

/** When work begins next after a time outside of it; undefined when it never does. */
export function nextOpening(hours: WorkingHours, at: Date): Date | undefined {
  const today = localDay(hours, at);
  for (let ahead = 0; ahead <= LONGEST_CLOSURE_DAYS; ahead += 1) {
    const starts = shiftsOf(hours, today.plus({ days: ahead })).map(({ start }) => start.toMillis());
    const next = Math.min(...starts.filter((start) => start > at.getTime()));
    if (Number.isFinite(next)) return new Date(next);
  }
  return undefined;
}

/** How many seconds of work lie between two times; without hours all of them. */
export function secondsWithin(hours: WorkingHours | undefined, from: Date, to: Date): number {
  const until = to.getTime();
  let counted = from.getTime();
  if (hours === undefined) return Math.max(0, until - counted) / 1000;
  let ms = 0;
  // What began the day before may still go on. Shifts may overlap: no moment counts twice.
  for (
    let day = localDay(hours, from).minus({ days: 1 });
    day.toMillis() < until;
    // Where the clocks go forward at midnight a day begins at one, and the next at midnight again.
    day = day.plus({ days: 1 }).startOf('day')
  ) {
    const shifts = shiftsOf(hours, day).sort((one, other) => one.start.toMillis() - other.start.toMillis());
    for (const { start, end } of shifts) {
      const begins = Math.max(start.toMillis(), counted);
      const ends = Math.min(end.toMillis(), until);
      if (ends <= begins) continue;
      ms += ends - begins;
      counted = ends;
    }
  }
  return ms / 1000;
}

function localDay({ timezone }: WorkingHours, at: Date): DateTime {
  return DateTime.fromJSDate(at, { zone: timezone }).startOf('day');
}

/** Each end is looked up on the clocks of its own day, so that a change of the clocks makes a shift longer or shorter. */
function shiftsOf({ schedule, holidays = [] }: WorkingHours, day: DateTime): Shift[] {
  if (holidays.includes(day.toISODate() ?? '')) return [];
  const ofDay = schedule[DAYS[day.weekday - 1] ?? 'mon'] ?? [];
  return ofDay.map(({ start, end }) => {
    const lastDay = end <= start ? day.plus({ days: 1 }) : day;
    return { start: clockTime(day, start), end: clockTime(lastDay, end) };
  });
}

function clockTime(day: DateTime, clock: string): DateTime {
  const [hour, minute] = clock.split(':').map(Number);
  if (hour === 24) return day.plus({ days: 1 }).startOf('day');
  return day.set({ hour: hour ?? 0, minute: minute ?? 0 });
}
