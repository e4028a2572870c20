/* embed.js: the page in a frame of another site: its address asks in words, and the frame is told the height it needs. */
'use strict';
RedMap.NARROW_PX = 700;
RedMap.ASKED_DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/* ?lang=&layers=&mode=&minutes=&service=&at=&station=, as what the part after # would say. */
RedMap.askedInWords = (search) => {
  const words = new URLSearchParams(search), found = {}, put = (key, value) => { if (value) found[key] = value; };
  put('lang', words.get('lang'));
  put('on', words.get('layers'));
  const services = (words.get('service') || '').split(/[+ ,]/).filter(Boolean);
  const [, day, hour] = /^(\w{3})[ +]?(\d{1,2}):\d{2}$/.exec(words.get('at') || '') || [];
  const at = RedMap.ASKED_DAYS.indexOf(day) < 0 || +hour > 23 ? '' : RedMap.ASKED_DAYS.indexOf(day) * 24 + +hour;
  const asked = [words.get('mode') || '', words.get('minutes') || '', services.join('+'), String(at)];
  if (asked.some(Boolean)) found.f = asked.join(',');
  put('s', services.join(','));
  if (words.get('station')) found.sel = 'station:' + words.get('station');
  return found;
};

/* The height that suits the width; the frame's owner alone knows how much room there is. */
RedMap.heightFor = (width) => (width < RedMap.NARROW_PX ? 640 : Math.min(800, Math.max(480, Math.round(width * 0.6))));
RedMap.tellHeight = () => {
  if (window.parent === window) return;
  const tell = () => window.parent.postMessage({ type: 'redmap:height', height: RedMap.heightFor(window.innerWidth) }, '*');
  addEventListener('resize', tell);
  tell();
};
