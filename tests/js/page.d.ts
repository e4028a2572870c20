// What the page's scripts find when they run: Leaflet, and Node's own `module` where its tests read them.
declare const L: any;
declare const module: any;
