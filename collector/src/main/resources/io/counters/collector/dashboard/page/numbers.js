// Numbers and times as people read them.

const whole = new Intl.NumberFormat('en-US');
const short = new Intl.NumberFormat('en-US', {notation: 'compact', maximumSignificantDigits: 3});
const precise = new Intl.NumberFormat('en-US', {maximumSignificantDigits: 3});
const cents = new Intl.NumberFormat('en-US', {minimumFractionDigits: 2, maximumFractionDigits: 2});
const MINUS = '\u2212';

/** A 64-bit value, which comes as text, with separators and all its digits. */
export const value = text => whole.format(BigInt(text)).replace('-', MINUS);

/** A rate per second: empty for 0, so that counters that move stand out. */
export function rate(number) {
  if (number === null || number === undefined) {
    return '\u2026';
  }
  if (number === 0) {
    return '';
  }
  const size = Math.abs(number);
  return size < 0.005 ? '<' + cents.format(0.01)
    : (size >= 1000 ? whole.format(Math.round(number)) : cents.format(number)).replace('-', MINUS);
}

/** A number for an axis or a legend. */
export function number(some) {
  if (some === null || some === undefined || Number.isNaN(some)) {
    return '\u2013';
  }
  const size = Math.abs(some);
  return (size >= 100_000 ? short.format(some)
    : size >= 1000 ? whole.format(Math.round(some)) : precise.format(some)).replace('-', MINUS);
}

export const count = some => whole.format(some);

export function bytes(some) {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let unit = 0;
  while (some >= 1024 && unit < units.length - 1) {
    some /= 1024;
    unit++;
  }
  return precise.format(some) + ' ' + units[unit];
}

/** A duration in seconds: 12 s, 5 min, 3 h, 2 d. */
export function duration(seconds) {
  const some = Math.max(0, Math.round(seconds));
  return some < 100 ? some + ' s'
    : some < 6000 ? Math.round(some / 60) + ' min'
    : some < 172_800 ? Math.round(some / 3600) + ' h' : Math.round(some / 86_400) + ' d';
}

const clock = new Intl.DateTimeFormat('en-GB', {hour: '2-digit', minute: '2-digit', second: '2-digit'});
const day = new Intl.DateTimeFormat('en-GB', {day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit'});
const full = new Intl.DateTimeFormat('en-GB', {dateStyle: 'medium', timeStyle: 'medium'});

/** A time of day, with the date if it is more than 20 hours from now. */
export function time(second) {
  const date = new Date(second * 1000);
  return Math.abs(Date.now() / 1000 - second) < 72_000 ? clock.format(date) : day.format(date);
}

export const moment = second => full.format(new Date(second * 1000));
