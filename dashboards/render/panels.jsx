// One drawing per panel type, made of Grafana's published components. Only the state timeline is drawn by us: Grafana
// keeps that panel inside its application, but values, colours and texts come from the same display processors.
import {
  dateTime,
  FieldType,
  getDisplayValueAlignmentFactors,
  getFieldDisplayName,
  getFieldDisplayValues,
} from '@grafana/data';
import { BarGauge, BigValue, LegendDisplayMode, Table, TimeSeries, VizRepeater } from '@grafana/ui';

import { withDefaults } from './frames.js';

const DRAWN = { timeseries: Graph, stat: Figure, bargauge: Bars, table: Rows, 'state-timeline': Timeline };

export function Panel(props) {
  const Drawn = DRAWN[props.panel.type];
  if (!Drawn) {
    throw new Error(`no drawing for panels of type ${props.panel.type}`);
  }
  const alwaysDrawn = props.panel.type === 'stat' || props.panel.type === 'bargauge';
  const empty = props.frames.every((frame) => frame.length === 0);
  return empty && !alwaysDrawn ? <Nothing {...props} /> : <Drawn {...props} />;
}

/** As Grafana's PanelDataErrorView. */
function Nothing({ panel, theme }) {
  const style = { height: '100%', display: 'grid', placeItems: 'center', color: theme.colors.text.secondary, textAlign: 'center' };
  return <div style={style}>{panel.fieldConfig.defaults.noValue ?? 'No data'}</div>;
}

function Graph({ panel, frames, width, height, from, to, marks }) {
  const { showLegend, ...legend } = panel.options?.legend ?? { showLegend: true };
  const range = { from: dateTime(from), to: dateTime(to), raw: { from: dateTime(from), to: dateTime(to) } };
  const placed = { displayMode: LegendDisplayMode.List, placement: 'bottom', calcs: [], ...legend, showLegend };
  return (
    <TimeSeries
      frames={frames} structureRev={1} timeRange={range} timeZone="utc" width={width} height={height} legend={placed}
    >
      {(config) => config.addHook('drawClear', (plot) => marks.forEach((mark) => drawMark(plot, mark)))}
    </TimeSeries>
  );
}

/** An annotation: a dashed line where it begins, as Grafana's annotations plugin draws it. */
function drawMark({ ctx, bbox, valToPos }, { time, colour }) {
  const x = Math.round(valToPos(time, 'x', true));
  if (x < bbox.left || x > bbox.left + bbox.width) {
    return;
  }
  ctx.save();
  ctx.setLineDash([5, 5]);
  ctx.strokeStyle = ctx.fillStyle = colour;
  ctx.lineWidth = 2;
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.fillRect(x - 3, bbox.top + bbox.height, 6, 5);
  ctx.restore();
}

function fieldValues({ panel, frames, theme }, sparkline) {
  return getFieldDisplayValues({
    fieldConfig: withDefaults(panel),
    reduceOptions: panel.options.reduceOptions,
    replaceVariables: (text) => text,
    theme,
    data: frames,
    sparkline,
    timeZone: 'utc',
  });
}

function Figure(props) {
  const { panel, frames, theme, width, height } = props;
  const { graphMode, colorMode, textMode, justifyMode } = panel.options;
  const values = fieldValues(props, graphMode !== 'none');
  const one = ({ value, alignmentFactors, width: w, height: h, count }) => {
    const sparkline = value.sparkline && {
      ...value.sparkline,
      timeRange: { from: dateTime(props.from), to: dateTime(props.to) },
    };
    return (
      <BigValue
        value={value.display} count={count} sparkline={sparkline} colorMode={colorMode} graphMode={graphMode}
        textMode={textMode} justifyMode={justifyMode ?? 'auto'} alignmentFactors={alignmentFactors} width={w} height={h}
        theme={theme} disableWideLayout={panel.options.wideLayout === false}
        text={panel.options.text}
      />
    );
  };
  return (
    <VizRepeater
      getValues={() => values} getAlignmentFactors={getDisplayValueAlignmentFactors} renderValue={one} width={width}
      height={height} source={frames} itemSpacing={3} orientation={panel.options.orientation ?? 'auto'}
      renderCounter={0} autoGrid
    />
  );
}

function Bars(props) {
  const { panel, frames, theme, width, height } = props;
  const { orientation, displayMode, valueMode, namePlacement, showUnfilled, minVizWidth, minVizHeight, maxVizHeight } = panel.options;
  const one = ({ value, alignmentFactors, width: w, height: h, count }) => (
    <BarGauge
      value={value.display} width={w} height={h} orientation={orientation} field={value.field}
      display={value.view?.getFieldDisplayProcessor(value.colIndex)}
      theme={theme} itemSpacing={10} lcdCellWidth={12} displayMode={displayMode} alignmentFactors={count > 1 ? alignmentFactors : undefined}
      showUnfilled={showUnfilled ?? true} valueDisplayMode={valueMode ?? 'color'} namePlacement={namePlacement ?? 'auto'}
    />
  );
  return (
    <VizRepeater
      getValues={() => fieldValues(props, false)} getAlignmentFactors={getDisplayValueAlignmentFactors} renderValue={one}
      width={width} height={height} source={frames} itemSpacing={10} orientation={orientation} renderCounter={0}
      minVizWidth={minVizWidth ?? 8} minVizHeight={minVizHeight ?? 16} maxVizHeight={maxVizHeight ?? 300}
    />
  );
}

function Rows({ frames, width, height }) {
  return <Table data={frames[0]} width={width} height={height} columnMinWidth={90} showTypeIcons={false} />;
}


function Timeline({ panel, frames, theme, width, height, from, to }) {
  const rows = frames.flatMap((frame) => {
    const time = frame.fields.find((field) => field.type === FieldType.time);
    const shown = frame.fields.filter((field) => field !== time);
    return shown.map((field) => ({ field, frame, spans: merged(time.values, field) }));
  });
  const names = rows.map(({ field, frame }) => getFieldDisplayName(field, frame, frames));
  const left = 12 + 7 * Math.max(...names.map((name) => name.length));
  const tall = Math.floor((height - 22) / rows.length);
  const at = (time) => left + ((width - left) * (time - from)) / (to - from);
  return (
    <div style={{ position: 'relative', width, height }}>
      {rows.map(({ field, frame, spans }, row) => (
        <div key={row}>
          <div style={{ position: 'absolute', top: row * tall + tall / 2 - 9, width: left - 6, fontSize: 12, overflow: 'hidden', whiteSpace: 'nowrap' }}>
            {names[row]}
          </div>
          {spans.map(({ value, start, end }) => {
            const { text, color } = field.display(value);
            const [x, w] = [at(Math.max(start, from)), at(Math.min(end, to)) - at(Math.max(start, from))];
            const fits = panel.options.showValue !== 'never' && text.length * 7 < w;
            const style = {
              position: 'absolute', left: x, width: Math.max(w, 1), top: row * tall + 2, height: tall - 4, background: color,
              color: theme.colors.getContrastText(color), fontSize: 12, overflow: 'hidden', lineHeight: `${tall - 4}px`,
              whiteSpace: 'nowrap', paddingLeft: fits ? 4 : 0,
            };
            return w > 0 && <div key={start} style={style}>{fits ? text : ''}</div>;
          })}
        </div>
      ))}
      {ticks(from, to).map((time) => (
        <div key={time} style={{ position: 'absolute', left: at(time) - 18, top: rows.length * tall + 3, fontSize: 12, color: theme.colors.text.secondary }}>
          {new Date(time).toISOString().slice(11, 16)}
        </div>
      ))}
    </div>
  );
}

/** Return the stretches of equal values; the last one lasts one step, since nothing is known of what follows. */
function merged(times, field) {
  const step = times.length > 1 ? times[1] - times[0] : 60_000;
  const spans = [];
  times.forEach((start, place) => {
    const value = field.values[place];
    const last = spans.at(-1);
    if (last && last.value === value) {
      last.end = start + step;
    } else {
      spans.push({ value, start, end: start + step });
    }
  });
  return spans;
}

function ticks(from, to) {
  const step = [15, 30, 60, 180, 360, 720].map((minutes) => minutes * 60_000).find((size) => (to - from) / size < 9) ?? 86_400_000;
  const first = Math.ceil((from + step / 4) / step) * step;
  return Array.from({ length: Math.max(0, Math.ceil((to - step / 8 - first) / step)) }, (_, n) => first + n * step);
}
