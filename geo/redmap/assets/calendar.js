/* calendar.js: opening hours on real days in China: open until when, or opening when; null is unknown. */
'use strict';
RedMap.FRIDAY = 4;

/* Rules of "Mo-Fr 09:00-17:00; PH off": days, whether holidays are named, spans in minutes; null where any is not understood. */
RedMap.rules = (hours) => {
  if (!hours) return null;
  const rules = [];
  for (const rule of hours.split(';').map((r) => r.trim()).filter(Boolean)) {
    if (rule === '24/7') { rules.push({ days: null, holiday: false, spans: [[0, 1440]] }); continue; }
    const match = /^((?:(?:Mo|Tu|We|Th|Fr|Sa|Su|PH)(?:-(?:Mo|Tu|We|Th|Fr|Sa|Su))?,?\s*)+)?\s*(off|closed|(?:\d{1,2}:\d{2}-\d{1,2}:\d{2},?\s*)+)$/.exec(rule);
    if (!match) return null;
    const named = match[1] ? match[1].trim().replace(/,$/, '') : '', days = named ? RedMap.daysOf(named) : null;
    if (named && days === null) return null;
    const spans = /off|closed/.test(match[2]) ? [] : match[2].split(',').map((span) => {
      const [h1, m1, h2, m2] = span.match(/\d+/g).map(Number), from = h1 * 60 + m1, to = h2 * 60 + m2;
      return [from, to <= from ? to + 1440 : to];
    });
    rules.push({ days, holiday: /PH/.test(named), spans });
  }
  return rules;
};

/* The last rule that holds decides, as in the OSM specification. */
RedMap.spansOf = (rules, weekday, holiday) => {
  let spans = [];
  for (const rule of rules) if (rule.days === null || rule.days.has(weekday) || (holiday && rule.holiday)) spans = rule.spans;
  return spans;
};

/* Spans of a day (days since 1970): a worked weekend is as a Friday; on a holiday the PH rule decides, and
   without one only hours that are the same on all seven days are known. */
RedMap.spansOn = (rules, day) => {
  const weekday = (day + 3) % 7, calendar = RedMap.data.calendar, date = new Date(day * 864e5).toISOString().slice(0, 10);
  if (calendar.worked.includes(date)) return RedMap.spansOf(rules, RedMap.FRIDAY, false);
  if (!calendar.holidays.includes(date)) return RedMap.spansOf(rules, weekday, false);
  if (rules.some((rule) => rule.holiday)) return RedMap.spansOf(rules, weekday, true);
  const all = RedMap.DAYS.map((_, d) => RedMap.spansOf(rules, d, false));
  return all.every((spans) => JSON.stringify(spans) === JSON.stringify(all[0])) ? all[0] : null;
};

/* Day since 1970 and minute in China, whatever the zone of the device. */
RedMap.chinaMoment = () => {
  const minutes = Math.floor(Date.now() / 60000) + 480;
  return { day: Math.floor(minutes / 1440), minute: minutes % 1440 };
};

/* { state, until, next }: minutes from the start of the day of `now`; until is Infinity where it does not end within a week. */
RedMap.openness = (hours, now) => {
  const rules = RedMap.rules(hours), unknown = { state: 'unknown', until: null, next: null };
  if (rules === null) return unknown;
  const spans = [];
  for (let d = -1; d <= 7; d++) {
    const of = RedMap.spansOn(rules, now.day + d);
    if (of === null) { if (d <= 0) return unknown; break; }
    for (const [from, to] of of) spans.push([from + d * 1440, to + d * 1440]);
  }
  spans.sort((a, b) => a[0] - b[0]);
  let until = null;
  for (const [from, to] of spans) if (from <= (until === null ? now.minute : until) && to > (until === null ? now.minute : until)) until = to;
  if (until !== null) return { state: 'open', until: until >= 7 * 1440 ? Infinity : until, next: null };
  const after = spans.find(([from]) => from > now.minute);
  return { state: 'closed', until: null, next: after ? after[0] : null };
};

/* "20:00", "tomorrow 08:00", "Monday 08:00" of minutes from the start of the day of `now`. */
RedMap.momentText = (minutes, now) => {
  const ahead = Math.floor((minutes === 1440 ? minutes - 1 : minutes) / 1440), m = minutes - ahead * 1440;
  const clock = String(Math.floor(m / 60)).padStart(2, '0') + ':' + String(m % 60).padStart(2, '0');
  if (ahead === 0) return clock;
  return (ahead === 1 ? RedMap.t('tomorrow') : RedMap.t(RedMap.DAY_WORDS[(now.day + ahead + 3) % 7])) + ' ' + clock;
};
