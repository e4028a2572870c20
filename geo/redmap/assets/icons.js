/* icons.js: services as line drawings on a grid of 24; the word always stands beside. */
'use strict';
RedMap.ICONS = {
  warmth: 'M12 2c1 4 6 6 6 12a6 6 0 0 1-12 0c0-3 2-4 2-6 1 1 2 2 2 3 2-2 2-5 2-9zM12 21c-2 0-3-2-3-3s2-2 3-4c1 2 3 3 3 4s-1 3-3 3z',
  cooling: 'M12 3v18M4 7.5l16 9M20 7.5l-16 9M9 4l3 3 3-3M9 20l3-3 3 3',
  water: 'M12 3c4 5 6 8 6 11a6 6 0 0 1-12 0c0-3 2-6 6-11z',
  toilet: 'M7 5.5a1.5 1.5 0 1 0 .01 0M17 5.5a1.5 1.5 0 1 0 .01 0M5 10h4v6H8v5H6v-5H5zM17 10l-3 7h2v4h2v-4h2zM12 3v18',
  books: 'M12 6c-2-2-5-2-8-2v14c3 0 6 0 8 2 2-2 5-2 8-2V4c-3 0-6 0-8 2zM12 6v14',
  rest: 'M5 11V6a2 2 0 0 1 2-2h10a2 2 0 0 1 2 2v5M3 12a2 2 0 0 1 4 0v3h10v-3a2 2 0 0 1 4 0v6H3zM6 18v2M18 18v2',
  first_aid: 'M4 8h16v12H4zM9 8V5h6v3M12 11v6M9 14h6',
  phone_charging: 'M7 2h10v20H7zM13 7l-3 5h4l-3 5',
  ebike_charging: 'M5 17a3 3 0 1 0 .01 0M19 17a3 3 0 1 0 .01 0M8 20h8c0-4 1-6 3-6M14 8h3l2 6M10 3L7 9h4l-3 6',
  battery_swap: 'M3 8h16v9H3zM19 11h2v3h-2M12 10l-3 3h4l-3 3M6 5h8l-2-2',
  microwave: 'M2 5h20v13H2zM5 8h10v7H5zM18 9v.01M18 12v.01M18 15v.01M5 18v2M19 18v2',
  fridge: 'M6 2h12v19H6zM6 10h12M9 5v3M9 13v4M8 21v1M16 21v1',
  meals: 'M4 11h16c0 5-3 8-5 8H9c-2 0-5-3-5-8zM9 3v5M12 3v5M15 3v5',
  wifi: 'M3 9c6-5 12-5 18 0M6 13c4-3 8-3 12 0M9 16.5c2-1.5 4-1.5 6 0M12 20v.01',
  shower: 'M5 21V6a3 3 0 0 1 6 0v1M7 10c0-4 8-4 8 0zM8 13v2M11 13v2M14 13v2M8 18v2M11 18v2M14 18v2',
  gym: 'M3 9v6M6 6v12M18 6v12M21 9v6M6 12h12',
  medical: 'M6 3v6a4 4 0 0 0 8 0V3M10 13v3a4 4 0 0 0 8 0v-2M18 10a2 2 0 1 0 .01 0',
  repair: 'M14 7a4 4 0 0 1 5-4l-2 3 2 2 3-2a4 4 0 0 1-5 5L9 19a2 2 0 0 1-4-3z',
};
RedMap.icon = (service) => {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg'), path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', 'icon');
  path.setAttribute('d', RedMap.ICONS[service] || 'M12 5a7 7 0 1 0 .01 0M12 10v.01M12 13v4');
  svg.append(path);
  return svg;
};
