/* history.js: the back button, and an address that is changed by hand: the page follows. */
'use strict';
RedMap.SAME_STEP_MS = 500; // a card in place of another is one step
RedMap.DRAGGED_MS = 2000; // so is a slider under way, or a trial station
RedMap.DRAGGED = ['f', 'm', 'add'];

/* What of an address is a step to go back from: all but the map's place. */
RedMap.stepOf = (hash) => hash.replace(/^#?/, '&').replace(/&map=[^&]*/, '');

/* Only what sliders and drags change has changed. */
RedMap.isDragged = (a, b) => {
  const was = new URLSearchParams(a), is = new URLSearchParams(b);
  return [...new Set([...was.keys(), ...is.keys()])].every((key) => RedMap.DRAGGED.includes(key) || was.get(key) === is.get(key));
};
/* Keep the state in the address: as a new step where the view has changed, else in place of the present one. */
RedMap.keep = (text) => {
  const step = RedMap.stepOf(text), now = Date.now(), fresh = RedMap.step !== undefined && step !== RedMap.step && !RedMap.restoring;
  const push = fresh && now - RedMap.steppedAt > (RedMap.isDragged(RedMap.step, step) && RedMap.wasDragged ? RedMap.DRAGGED_MS : RedMap.SAME_STEP_MS);
  if (fresh) RedMap.wasDragged = RedMap.isDragged(RedMap.step, step);
  if (fresh) RedMap.steppedAt = now;
  if (RedMap.step !== undefined) RedMap.step = step;
  if (push) history.pushState(null, '', text); else history.replaceState(null, '', text);
};

/* The state that the address asks for, as at the start. */
RedMap.restore = async () => {
  const asked = RedMap.readHash(), s = RedMap.state, turn = RedMap.restoring = (RedMap.restoring || 0) + 1;
  if (['zh', 'en'].includes(asked.lang)) s.lang = asked.lang;
  RedMap.take(asked);
  if (RedMap.open) { RedMap.quiet = true; RedMap.map.closePopup(RedMap.open); RedMap.quiet = false; RedMap.open = null; RedMap.byId('stage').classList.remove('carded'); }
  RedMap.look(asked.map);
  const [kind, id] = RedMap.split(asked.sel);
  if (RedMap.find(kind, id)) RedMap.select(kind, id, !asked.map); else RedMap.render();
  if (RedMap.choice) await RedMap.choose(RedMap.choiceFromHash(asked));
  if (turn !== RedMap.restoring) return; // gone further back meanwhile
  RedMap.writeHash();
  RedMap.restoring = 0;
};
RedMap.wireHistory = () => {
  RedMap.step = RedMap.stepOf(location.hash);
  RedMap.steppedAt = 0;
  addEventListener('popstate', () => { RedMap.restore(); });
};
