// What makes a picture fail: an exception, an empty panel that does not say why, text too small to read.
const SMALLEST = 11;
const UNNAMED = ['', 'No data', 'null', 'undefined', 'NaN'];

let errors = [];
let written = [];

const original = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function fillText(text, ...rest) {
  const size = Number.parseFloat(/([\d.]+)px/.exec(this.font)?.[1] ?? '0') / window.devicePixelRatio;
  written.push({ canvas: this.canvas, text, size });
  return original.call(this, text, ...rest);
};
window.addEventListener('error', (event) => errors.push(`exception: ${event.message}`));
window.addEventListener('unhandledrejection', (event) => errors.push(`exception: ${event.reason}`));

window.inspection = {
  restart() {
    errors = [];
    written = [];
  },
  thrown(title, error) {
    errors.push(`${title}: exception: ${error.message}`);
  },
  findings(board) {
    return [...errors, ...board.panels.filter((panel) => panel.type !== 'row').flatMap(ofPanel)];
  },
};

function ofPanel(panel) {
  const place = document.querySelector(`[data-panel="${CSS.escape(panel.title)}"]`);
  const body = place?.querySelector('[data-testid*="Panel header"] ~ div, [class*="panel-content"], [data-testid="data-testid panel content"]');
  if (!body) {
    return [`${panel.title}: not drawn`];
  }
  return [...nothing(panel, body), ...small(panel, place)];
}

/** A panel shows text of its own or paints something; Grafana's words for "no data" are no reason. */
function nothing(panel, body) {
  const painted = [...body.querySelectorAll('canvas')].some(hasPaint);
  const text = body.innerText.trim();
  return !painted && UNNAMED.includes(text) ? [`${panel.title}: empty, and does not say why (${JSON.stringify(text)})`] : [];
}

function hasPaint(canvas) {
  if (!canvas.width || !canvas.height) {
    return false;
  }
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return data.some((value, place) => place % 4 === 3 && value > 0);
}

function small(panel, place) {
  const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const { textContent: text, parentElement: parent } = walker.currentNode;
    const box = parent.getBoundingClientRect();
    if (text.trim() && box.width > 0 && box.height > 0) {
      found.push({ text, size: Number.parseFloat(getComputedStyle(parent).fontSize) });
    }
  }
  found.push(...written.filter(({ canvas }) => place.contains(canvas)));
  return found
    .filter(({ text, size }) => text.trim() && size < SMALLEST)
    .map(({ text, size }) => `${panel.title}: ${JSON.stringify(text)} is ${size.toFixed(1)} px high, less than ${SMALLEST}`);
}
