// A board as Grafana lays it out. `window.draw` draws one; `window.findings` says what is wrong with what is drawn.
import './inspect.js';

import { createTheme, ThemeContext } from '@grafana/data';
import { GlobalStyles, PanelChrome } from '@grafana/ui';
import { Component } from 'react';
import { createRoot } from 'react-dom/client';

import { framesOf } from './frames.js';
import { Panel } from './panels.jsx';

const CELL = 30;
const GAP = 8;
const SIDE = 16;
/** Grafana's own bars above a board: navigation, then variables and time range. */
const HEAD = 96;

let root;

window.draw = async ({ board, answers, marks, theme: mode, width, from, to, variables }) => {
  window.inspection.restart();
  const theme = createTheme({ colors: { mode } });
  document.body.style.margin = '0';
  const panels = board.panels.filter((panel) => panel.type !== 'row');
  const frames = new Map();
  for (const panel of panels) {
    frames.set(panel.id, await framesOf(panel, answers[panel.id], theme));
  }
  root?.unmount();
  document.body.innerHTML = '<div id="root"></div>';
  root = createRoot(document.getElementById('root'));
  const tall = Math.max(...board.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
  const unit = (width - 2 * SIDE + GAP) / 24;
  const place = ({ x, y, w, h }) => ({
    position: 'absolute', left: SIDE + x * unit, top: HEAD + y * (CELL + GAP), width: w * unit - GAP,
    height: h * (CELL + GAP) - GAP,
  });
  const shared = { theme, from, to, marks };
  root.render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <div style={{ position: 'relative', width, height: HEAD + tall * (CELL + GAP), background: theme.colors.background.canvas }}>
        <Head board={board} variables={variables} from={from} to={to} />
        {board.panels.map((panel) => {
          const at = place(panel.gridPos);
          return panel.type === 'row' ? (
            <div key={panel.id} style={{ ...at, fontWeight: 500, fontSize: 16 }}>⌄ {panel.title}</div>
          ) : (
            <div key={panel.id} style={at} data-panel={panel.title}>
              <Caught title={panel.title}>
                <PanelChrome title={panel.title} width={at.width} height={at.height} description={panel.description}>
                  {(w, h) => <Panel panel={panel} frames={frames.get(panel.id)} width={w} height={h} {...shared} />}
                </PanelChrome>
              </Caught>
            </div>
          );
        })}
      </div>
    </ThemeContext.Provider>,
  );
};

window.findings = (board) => window.inspection.findings(board);

function Head({ board, variables, from, to }) {
  const time = (at) => new Date(at).toISOString().slice(0, 16).replace('T', ' ');
  return (
    <div style={{ padding: SIDE, fontSize: 14 }}>
      <div style={{ fontSize: 18, marginBottom: 14 }}>{board.title}</div>
      {Object.entries(variables).map(([name, value]) => <span key={name} style={{ marginRight: 24 }}>{name}: <b>{value}</b></span>)}
      <span style={{ float: 'right' }}>{time(from)} – {time(to)} UTC</span>
    </div>
  );
}

class Caught extends Component {
  state = { error: null };

  static getDerivedStateFromError(error) {
    return { error };
  }

  componentDidCatch(error) {
    window.inspection.thrown(this.props.title, error);
  }

  render() {
    return this.state.error ? <div>{String(this.state.error)}</div> : this.props.children;
  }
}
