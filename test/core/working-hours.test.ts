import { describe, expect, it } from 'vitest';
import {
  isWithin,
  nextOpening,
  secondsWithin,
  type WorkingHours,
  workingHours,
} from '../../src/core/team/working-hours.ts';

const at = (time: string) => new Date(time);
const hours = (schedule: object, timezone = 'Europe/Berlin', holidays?: string[]): WorkingHours =>
  workingHours.parse({ timezone, schedule, holidays });
/** The instants at which work begins or ends between two times, on the quarter hours. */
function changes(within: WorkingHours, from: string, to: string): string[] {
  const found: string[] = [];
  let open = isWithin(within, at(from));
  for (let ms = at(from).getTime(); ms <= at(to).getTime(); ms += 15 * 60_000) {
    if (isWithin(within, new Date(ms)) !== open) found.push(new Date(ms).toISOString().slice(0, 16));
    open = isWithin(within, new Date(ms));
  }
  return found;
}

describe('working hours', () => {
  it('follow the clocks of their zone, with a break at noon', () => {
    const split = hours({
      mon: [
        { start: '09:00', end: '12:00' },
        { start: '13:00', end: '17:30' },
      ],
    });
    // A Monday in winter, one hour before UTC.
    expect(changes(split, '2026-01-05T00:00Z', '2026-01-06T00:00Z')).toEqual([
      '2026-01-05T08:00',
      '2026-01-05T11:00',
      '2026-01-05T12:00',
      '2026-01-05T16:30',
    ]);
    // The same clocks in summer, two hours before.
    expect(changes(split, '2026-07-06T00:00Z', '2026-07-07T00:00Z')[0]).toBe('2026-07-06T07:00');
  });

  it('go on over midnight, also into a day without hours', () => {
    const night = hours({ fri: [{ start: '22:00', end: '06:00' }] }, 'America/New_York');
    expect(changes(night, '2026-01-09T12:00Z', '2026-01-11T12:00Z')).toEqual([
      '2026-01-10T03:00',
      '2026-01-10T11:00',
    ]);
    expect(isWithin(night, at('2026-01-09T08:00Z'))).toBe(false);
  });

  it('may last the whole day, and the next one joins without a gap', () => {
    const day = [{ start: '00:00', end: '24:00' }];
    const always = hours({ mon: day, tue: { start: '00:00', end: '00:00' } });
    expect(changes(always, '2026-01-04T12:00Z', '2026-01-07T12:00Z')).toEqual([
      '2026-01-04T23:00',
      '2026-01-06T23:00',
    ]);
  });

  it('are an hour shorter or longer in the nights when the clocks change', () => {
    const night = hours({ sat: [{ start: '22:00', end: '06:00' }], sun: [{ start: '09:00', end: '17:00' }] });
    expect(changes(night, '2026-03-28T12:00Z', '2026-03-29T18:00Z')).toEqual([
      '2026-03-28T21:00',
      '2026-03-29T04:00', // 7 hours: 02:00 became 03:00.
      '2026-03-29T07:00',
      '2026-03-29T15:00',
    ]);
    expect(changes(night, '2026-10-24T12:00Z', '2026-10-25T18:00Z')).toEqual([
      '2026-10-24T20:00',
      '2026-10-25T05:00', // 9 hours.
      '2026-10-25T08:00',
      '2026-10-25T16:00',
    ]);
  });

  it('begin at the next hour that exists where theirs is skipped', () => {
    const early = hours({ sun: [{ start: '02:30', end: '05:00' }] });
    expect(changes(early, '2026-03-29T00:00Z', '2026-03-29T06:00Z')).toEqual([
      '2026-03-29T01:30',
      '2026-03-29T03:00',
    ]);
  });

  it('are counted from midnight on, also after a night that had none', () => {
    // On Sunday the 6th the clocks of Chile go from midnight to one.
    const early = hours({ mon: [{ start: '00:00', end: '01:15' }] }, 'America/Santiago');
    expect(secondsWithin(early, at('2026-09-05T12:00Z'), at('2026-09-07T03:45Z'))).toBe(45 * 60);
  });

  it('know weekdays by their own zone, on both sides of the date line', () => {
    const monday = { mon: [{ start: '08:00', end: '10:00' }] };
    expect(isWithin(hours(monday, 'Pacific/Kiritimati'), at('2026-01-04T18:30Z'))).toBe(true);
    expect(isWithin(hours(monday, 'Pacific/Pago_Pago'), at('2026-01-05T19:30Z'))).toBe(true);
  });

  it('begin nothing on a holiday', () => {
    const weekdays = hours({ fri: [{ start: '09:00', end: '17:00' }] }, 'Europe/Berlin', ['2026-12-25']);
    expect(isWithin(weekdays, at('2026-12-25T10:00Z'))).toBe(false);
    expect(nextOpening(weekdays, at('2026-12-19T10:00Z'))?.toISOString()).toBe('2027-01-01T08:00:00.000Z');
  });

  it('say when they begin next', () => {
    const split = hours({
      mon: [
        { start: '09:00', end: '12:00' },
        { start: '13:00', end: '17:00' },
      ],
    });
    const next = (time: string) => nextOpening(split, at(time))?.toISOString();
    expect(next('2026-01-05T05:00Z')).toBe('2026-01-05T08:00:00.000Z');
    expect(next('2026-01-05T11:30Z')).toBe('2026-01-05T12:00:00.000Z');
    expect(next('2026-01-05T20:00Z')).toBe('2026-01-12T08:00:00.000Z');
    expect(nextOpening(hours({}), at('2026-01-05T20:00Z'))).toBeUndefined();
  });

  it('are refused with a zone or a time that there is not', () => {
    const issues = (input: object) =>
      workingHours.safeParse(input).error?.issues.map((issue) => issue.path.join('.'));
    expect(issues({ timezone: 'Mars/Olympus', schedule: {} })).toEqual(['timezone']);
    expect(
      issues({ timezone: 'UTC', schedule: { mon: [{ start: '9', end: '24:30' }] } }),
    ).not.toBeUndefined();
    expect(issues({ timezone: 'UTC', schedule: { someday: [] } })).not.toBeUndefined();
    expect(issues({ timezone: 'UTC', schedule: { mon: { start: '09:00', end: '17:00' } } })).toBeUndefined();
  });
});
