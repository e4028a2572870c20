/* hours.js: opening hours (OSM syntax) in words, and whether a place is open; null is unknown. */
'use strict';
RedMap.DAYS = ['Mo', 'Tu', 'We', 'Th', 'Fr', 'Sa', 'Su'];
RedMap.DAY_WORDS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/* Days 0..6 of "Mo-Fr,Su"; null where it is not understood. */
RedMap.daysOf = (text) => {
  const days = new Set();
  for (const piece of text.split(',')) {
    const match = /^(Mo|Tu|We|Th|Fr|Sa|Su|PH)(?:-(Mo|Tu|We|Th|Fr|Sa|Su))?$/.exec(piece.trim());
    if (!match) return null;
    if (match[1] === 'PH') continue;
    const from = RedMap.DAYS.indexOf(match[1]), to = match[2] ? RedMap.DAYS.indexOf(match[2]) : from;
    for (let d = from; ; d = (d + 1) % 7) { days.add(d); if (d === to) break; }
  }
  return days;
};

/* Seven lists of [from, to] minutes; null where any rule is not understood. */
RedMap.week = (hours) => {
  if (!hours) return null;
  const week = Array.from({ length: 7 }, () => []);
  for (const rule of hours.split(';').map((r) => r.trim()).filter(Boolean)) {
    if (rule === '24/7') { for (const day of week) day.splice(0, day.length, [0, 1440]); continue; }
    const match = /^((?:(?:Mo|Tu|We|Th|Fr|Sa|Su|PH)(?:-(?:Mo|Tu|We|Th|Fr|Sa|Su))?,?\s*)+)?\s*(off|closed|(?:\d{1,2}:\d{2}-\d{1,2}:\d{2},?\s*)+)$/.exec(rule);
    if (!match) return null;
    const days = match[1] ? RedMap.daysOf(match[1].trim().replace(/,$/, '')) : new Set([0, 1, 2, 3, 4, 5, 6]);
    if (days === null) return null;
    const spans = /off|closed/.test(match[2]) ? [] : match[2].split(',').map((span) => {
      const [h1, m1, h2, m2] = span.match(/\d+/g).map(Number);
      const from = h1 * 60 + m1, to = h2 * 60 + m2;
      return [from, to <= from ? to + 1440 : to];
    });
    for (const d of days) week[d] = spans;
  }
  return week;
};

/* Open at day 0..6 (Monday first) and minute of the day: true, false, or null for unknown. */
RedMap.openAt = (hours, day, minute) => {
  const week = RedMap.week(hours);
  if (week === null) return null;
  const today = week[day].some(([from, to]) => from <= minute && minute < to);
  return today || week[(day + 6) % 7].some(([, to]) => minute < to - 1440);
};

/* Day and minute in China, whatever the zone of the device. */
RedMap.chinaNow = () => {
  const now = new Date(Date.now() + 8 * 3600 * 1000);
  return { day: (now.getUTCDay() + 6) % 7, minute: now.getUTCHours() * 60 + now.getUTCMinutes() };
};

/* Hours in words of the page's language; '' when unknown. */
RedMap.hoursText = (hours) => {
  if (!hours) return '';
  const comma = RedMap.state.lang === 'zh' ? '，' : ', ', list = RedMap.state.lang === 'zh' ? '、' : ', ';
  return hours.split(';').map((rule) => rule.trim()
    .replace(/24\/7/, RedMap.t('allDay'))
    .replace(/^(?=\d\d:)/, RedMap.t('everyDay') + ' ')
    .replace(/Mo-Su/, RedMap.t('everyDay'))
    .replace(/\b(Mo|Tu|We|Th|Fr|Sa|Su)-(Mo|Tu|We|Th|Fr|Sa|Su)\b/g, (_, a, b) => RedMap.dayWord(a) + RedMap.t('to') + RedMap.dayWord(b))
    .replace(/\b(Mo|Tu|We|Th|Fr|Sa|Su)\b/g, (_, a) => RedMap.dayWord(a))
    .replace(/\bPH\b/, RedMap.t('holidays')).replace(/\b(off|closed)\b/, RedMap.t('off'))
    .replace(/(\d\d:\d\d)-(\d\d:\d\d)/g, '$1–$2').replace(/,\s*/g, list)).filter(Boolean).join(comma);
};
RedMap.dayWord = (code) => RedMap.t(RedMap.DAY_WORDS[RedMap.DAYS.indexOf(code)]);
