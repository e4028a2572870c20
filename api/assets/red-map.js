/* <red-map study="my-district" lang="en" minutes="10" at="Tue 23:00" service="toilet" mode="walk" station="" layers="" lite>
   The map of a Red Map service in a frame of its own. Load this script from the service. */
(() => {
  'use strict';
  const home = new URL('.', document.currentScript.src);
  const ASKED = ['lang', 'layers', 'minutes', 'at', 'service', 'mode', 'station'];
  const HIGHEST = 2000;
  class RedMapFrame extends HTMLElement {
    static observedAttributes = ['study', 'lite', ...ASKED];
    #frame = document.createElement('iframe');
    #hear = (event) => {
      const told = event.data;
      if (event.source !== this.#frame.contentWindow || event.origin !== home.origin || !told || told.type !== 'redmap:height') return;
      const height = Number(told.height);
      if (height > 0 && !this.hasAttribute('fixed')) this.#frame.style.height = Math.min(HIGHEST, Math.round(height)) + 'px';
    };
    connectedCallback() {
      if (!this.shadowRoot) {
        Object.assign(this.#frame, { loading: 'lazy', allow: 'geolocation; fullscreen', title: this.title || '红色地图 Red Map' });
        this.#frame.style.cssText = 'display:block;width:100%;height:' + (this.hasAttribute('fixed') ? '100%' : '600px') + ';border:0';
        this.attachShadow({ mode: 'open' }).append(this.#frame);
        if (!this.style.display) this.style.display = 'block';
      }
      addEventListener('message', this.#hear);
      this.#show();
    }
    disconnectedCallback() { removeEventListener('message', this.#hear); }
    attributeChangedCallback() { if (this.isConnected && this.shadowRoot) this.#show(); }
    #show() {
      const study = this.getAttribute('study');
      const address = new URL(study ? 'embed/' + encodeURIComponent(study) : 'embed', home);
      for (const name of ASKED) if (this.getAttribute(name)) address.searchParams.set(name, this.getAttribute(name));
      if (this.hasAttribute('lite')) address.searchParams.set('lite', '1');
      if (this.#frame.src !== address.href) this.#frame.src = address.href;
    }
  }
  if (!customElements.get('red-map')) customElements.define('red-map', RedMapFrame);
})();
