// From the answers of Prometheus to what Grafana's panels draw: data frames with the board's field options applied.
import {
  applyFieldOverrides,
  cacheFieldDisplayNames,
  FieldConfigOptionsRegistry,
  FieldType,
  standardTransformers,
  standardTransformersRegistry,
  toDataFrame,
  transformDataFrame,
} from '@grafana/data';

const STANDARD = 'unit min max decimals displayName noValue color thresholds mappings links fieldMinMax'.split(' ');
/** What Grafana fills in where a board says nothing; the boards must leave nothing to it. */
const DEFAULT_STEPS = [{ value: null, color: 'green' }, { value: 80, color: 'red' }];
const DEFAULT_COLOUR = { timeseries: 'palette-classic', table: 'thresholds', stat: 'thresholds', bargauge: 'thresholds',
  'state-timeline': 'continuous-GrYlRd' };

const transformers = new Map(Object.values(standardTransformers).map((one) => [one.id, one])); // some have two names
standardTransformersRegistry.setInit(() =>
  [...transformers.values()].map((one) => ({ id: one.id, name: one.name, transformation: one })),
);

/** Return the frames of a panel, ready to be drawn. Answers: [{refId, series: [{labels, times, values}]}]. */
export async function framesOf(panel, answers, theme) {
  const raw = panel.targets.flatMap((target, place) => queryFrames(target, answers[place], panel.targets.length > 1));
  const data = await transformed(panel.transformations ?? [], raw.map((frame) => toDataFrame(frame)));
  const ready = applyFieldOverrides({
    data,
    fieldConfig: withDefaults(panel),
    replaceVariables: (text) => text,
    theme,
    timeZone: 'utc',
    fieldConfigRegistry: registryOf(panel.fieldConfig),
  });
  cacheFieldDisplayNames(ready);
  return ready;
}

export function withDefaults(panel) {
  const { defaults, overrides } = structuredClone(panel.fieldConfig);
  defaults.color ??= { mode: DEFAULT_COLOUR[panel.type] };
  defaults.thresholds ??= { mode: 'absolute', steps: DEFAULT_STEPS };
  const steps = overrides.flatMap((one) => one.properties).filter((one) => one.id === 'thresholds');
  for (const thresholds of [defaults.thresholds, ...steps.map((one) => one.value)]) {
    for (const step of thresholds.steps) {
      step.value ??= -Infinity; // as Grafana does when it loads a board: JSON has no infinity
    }
  }
  return { defaults, overrides };
}

/** Let every option that the board names be applied, as Grafana's panels register them. */
function registryOf({ defaults, overrides }) {
  const named = overrides.flatMap((one) => one.properties.map((property) => property.id));
  const custom = Object.keys(defaults.custom ?? {}).map((name) => `custom.${name}`);
  const ids = new Set([...STANDARD, ...custom, ...named]);
  return new FieldConfigOptionsRegistry(() =>
    [...ids].map((id) => ({
      id,
      name: id,
      path: id.replace(/^custom\./, ''),
      isCustom: id.startsWith('custom.'),
      process: (value) => value,
      shouldApply: () => true,
    })),
  );
}

function transformed(steps, data) {
  return new Promise((resolve, reject) => {
    const context = { interpolate: (text) => text };
    transformDataFrame(steps, data, context).subscribe({ next: resolve, error: reject });
  });
}

/** Return the frames of one query, as Grafana's data source for Prometheus makes them. */
function queryFrames(target, { series, step }, several) {
  if (target.format === 'table') {
    return series.length ? [tableFrame(target, series, several)] : [];
  }
  return series.map(({ labels, times, values }) => {
    const name = legend(target.legendFormat, labels);
    return {
      refId: target.refId,
      fields: [
        { name: 'Time', type: FieldType.time, values: times, config: { interval: step } },
        { name: 'Value', type: FieldType.number, values, labels, config: { displayNameFromDS: name } },
      ],
    };
  });
}

function tableFrame(target, series, several) {
  const names = [...new Set(series.flatMap((one) => Object.keys(one.labels)))].sort();
  const rows = series.flatMap((one) => one.times.map((time, at) => ({ time, value: one.values[at], ...one.labels })));
  return {
    refId: target.refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: rows.map((row) => row.time) },
      ...names.map((name) => ({ name, type: FieldType.string, values: rows.map((row) => row[name] ?? '') })),
      { name: several ? `Value #${target.refId}` : 'Value', type: FieldType.number, values: rows.map((row) => row.value) },
    ],
  };
}

function legend(format, labels) {
  if (format && format !== '__auto') {
    return format.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, name) => labels[name] ?? '');
  }
  const inside = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return inside.length ? `{${inside.join(', ')}}` : 'Value';
}
