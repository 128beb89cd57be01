import { chartStyle } from '../chart/chart-style.ts'

/** Returns the style sheet of the panel. It is used in a shadow root, so it does not affect the page, nor the page it. */
export const panelStyle = (): string =>
  [
    COLORS,
    LAUNCHER,
    PANEL,
    CARDS,
    CONTROLS,
    SESSION,
    LANES,
    LOG,
    CHART,
    DOCKED,
    FORCED_COLORS,
    chartStyle('light'),
    chartStyle('dark'),
  ].join('')

const COLORS = `
:host { display: block; color-scheme: light dark; }
:host([hidden]) { display: none; }
:host(:not([inline])) { position: fixed; z-index: 2147483647; inset-block-end: 0; inset-inline-end: 0; inline-size: 0; block-size: 0; }
.root {
  all: initial; display: block; direction: ltr;
  --canvas: #f6f8fa; --card: #ffffff; --text: #1f2328; --muted: #59636e; --line: #d1d9e0; --accent: #8250df; --accent-text: #ffffff;
  --sent: #1a7f37; --held: #9a6700; --replayed: #8250df; --rejected: #cf222e; --gated: #0969da;
  --shade: 0 1px 3px rgb(31 35 40 / 12%); --lit: rgb(130 80 223 / 12%);
  color-scheme: light; color: var(--text); font: 13px/1.45 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif;
}
.root[data-theme='dark'] {
  --canvas: #010409; --card: #0d1117; --text: #f0f6fc; --muted: #9aa4af; --line: #3d444d; --accent: #ab7df8; --accent-text: #010409;
  --sent: #3fb950; --held: #d29922; --replayed: #ab7df8; --rejected: #f85149; --gated: #4493f8;
  --shade: 0 1px 3px rgb(1 4 9 / 60%); --lit: rgb(171 125 248 / 18%);
  color-scheme: dark;
}
*, ::before, ::after { box-sizing: border-box; }
[hidden] { display: none !important; }
`

const LAUNCHER = `
.launcher {
  position: fixed; inset-block-end: 12px; inset-inline-end: 12px; z-index: 2147483646;
  display: inline-flex; align-items: center; gap: 8px; padding: 8px 14px; border-radius: 999px;
  background: var(--card); border: 1px solid var(--line); box-shadow: 0 4px 16px rgb(0 0 0 / 25%); font-weight: 600;
}
.launcher::before { content: ''; inline-size: 10px; block-size: 10px; border-radius: 50%; background: var(--tone, var(--muted)); }
.dock { display: block; }
.floating .dock {
  --dock-wide: min(var(--width, 100%), 100%); --dock-high: min(var(--height, min(72dvh, 680px)), 100%);
  position: fixed; z-index: 2147483647; display: flex; flex-direction: column; overflow: hidden;
  inline-size: var(--dock-wide); block-size: var(--dock-high);
  left: max(0px, min(var(--x, 0px), 100% - var(--dock-wide))); top: max(0px, min(var(--y, 100%), 100% - var(--dock-high)));
  border-block-start: 1px solid var(--line); box-shadow: 0 -8px 32px rgb(0 0 0 / 25%);
}
.floating .dock.free { border: 1px solid var(--line); border-radius: 10px; box-shadow: 0 8px 32px rgb(0 0 0 / 30%); }
.floating .panel { flex: 1; min-block-size: 0; overflow: auto; overscroll-behavior: contain; }
.titlebar {
  display: flex; align-items: center; gap: 8px; padding: 8px 12px; cursor: move; touch-action: none; user-select: none;
  background: var(--card); border-block-end: 1px solid var(--line); font-weight: 600;
}
.titlebar .small:last-child { margin-inline-start: auto; }
.grip { cursor: move; touch-action: none; padding-inline: 6px; }
.side { display: none; position: absolute; z-index: 4; touch-action: none; }
.floating .side { display: block; }
.side.n, .side.s { inset-inline: 0; block-size: 7px; cursor: ns-resize; }
.side.w, .side.e { inset-block: 0; inline-size: 7px; cursor: ew-resize; }
.side.n, .side.nw, .side.ne { inset-block-start: 0; } .side.s, .side.sw, .side.se { inset-block-end: 0; }
.side.w, .side.nw, .side.sw { inset-inline-start: 0; } .side.e, .side.ne, .side.se { inset-inline-end: 0; }
.side.nw, .side.ne, .side.sw, .side.se { inline-size: 14px; block-size: 14px; }
.side.nw, .side.se { cursor: nwse-resize; } .side.ne, .side.sw { cursor: nesw-resize; }
.waiting { padding: 24px; margin: 0; text-align: center; color: var(--muted); background: var(--canvas); }
`

const PANEL = `
.dock { container-type: inline-size; background: var(--canvas); }
.floating .dock { container-type: size; }
.panel { padding: 12px; }
.banner {
  display: flex; flex-wrap: wrap; align-items: center; gap: 12px; margin-block-end: 12px; padding: 8px 12px; border-radius: 8px;
  background: var(--lit); border: 1px solid var(--accent);
}
.cards { display: grid; gap: 12px; grid-template-columns: minmax(0, 1fr); }
.timeline {
  display: flex; flex-wrap: wrap; align-items: center; gap: 8px; margin-block-end: 12px; padding: 8px 12px; background: var(--card); border: 1px solid var(--line); border-radius: 10px; box-shadow: var(--shade);
}
.timeline input[type='range'] { flex: 1 1 140px; min-inline-size: 0; min-block-size: 28px; accent-color: var(--accent); }
.when { font-variant-numeric: tabular-nums; color: var(--muted); }
.files { display: inline-flex; gap: 6px; margin-inline-start: auto; }
/* In a narrow panel, the session and the chart come first. */
@container (max-width: 560px) {
  .panel { display: flex; flex-direction: column; }
  .timeline { order: 1; margin-block: 12px 0; }
}
@container (min-width: 860px) {
  .cards { grid-template-columns: minmax(min(708px, 100% - 332px), 12fr) minmax(320px, 9fr); grid-template-rows: auto auto minmax(220px, 1fr); align-items: start; }
  .card.chart { grid-column: 1; grid-row: 1 / span 3; }
  .card.session, .card.lanes, .card.log { grid-column: 2; }
}
`

/** In a wide dock all cards are visible at once, and the chart scrolls. */
const DOCKED = `
@container (min-width: 1000px) and (min-height: 420px) {
  .floating .panel { display: flex; flex-direction: column; overflow: hidden; }
  .floating .cards { flex: 1; min-block-size: 0; grid-template-columns: minmax(0, 5fr) minmax(300px, 4fr) minmax(300px, 4fr); grid-template-rows: auto minmax(0, 1fr); align-items: stretch; }
  .floating .card { min-block-size: 0; }
  .floating .card.lanes { overflow: auto; }
  .floating .card.chart, .floating .card.log { grid-row: 1 / span 2; display: flex; flex-direction: column; overflow: hidden; }
  .floating .card.log { grid-column: 3; }
  .floating .chart-place, .floating .events-place { flex: 1; min-block-size: 0; max-block-size: none; }
  .floating .chart-place svg { block-size: 100%; min-block-size: var(--high); }
  .floating .chart-place.fit svg { min-block-size: 0; }
}
`

/** Backgrounds that mean something. Browsers replace all others by the color of the page in this mode. */
const FORCED_COLORS = `
@media (forced-colors: active) {
  .launcher::before, .filter::before, .level, .bar { forced-color-adjust: none; }
  button[aria-pressed='true'], .events li[aria-selected='true'] { forced-color-adjust: none; background: Highlight; color: HighlightText; }
  .events li[aria-selected='true'] > * { color: inherit; }
}
`

const CARDS = `
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; box-shadow: var(--shade); padding: 12px; min-inline-size: 0; }
.card > header { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; margin-block-end: 8px; }
.card > header > :nth-child(2) { margin-inline-start: auto; }
h2 { margin: 0; font-size: 13px; font-weight: 650; }
dl, dd, dt, ol, ul, p { margin: 0; padding: 0; }
ol, ul { list-style: none; }
.muted { color: var(--muted); }
.empty { padding-block: 12px; }
`

const CONTROLS = `
button, input { font: inherit; color: inherit; }
button { cursor: pointer; min-block-size: 32px; padding: 4px 12px; border-radius: 8px; border: 1px solid var(--line); background: var(--card); }
button.small { min-block-size: 28px; padding: 2px 10px; font-size: 12px; }
button:hover:not(:disabled) { background: var(--lit); }
button:disabled { cursor: default; color: var(--muted); }
button[aria-pressed='true'] { background: var(--lit); border-color: var(--accent); }
input[type='search'] { min-inline-size: 0; inline-size: 120px; min-block-size: 28px; padding: 2px 8px; border-radius: 8px; border: 1px solid var(--line); background: var(--canvas); }
input::placeholder { color: var(--muted); opacity: 1; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
@media (pointer: coarse) { button, button.small, input[type='search'] { min-block-size: 40px; } }
`

const SESSION = `
.badge { padding: 2px 10px; border-radius: 999px; border: 1px solid currentColor; font: 600 12px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
[data-tone='pass'] { --tone: var(--sent); color: var(--sent); } [data-tone='hold'] { --tone: var(--held); color: var(--held); }
[data-tone='refuse'] { --tone: var(--rejected); color: var(--rejected); } [data-tone='gated'] { --tone: var(--gated); color: var(--gated); }
[data-tone='anonymous'], [data-tone='plain'] { --tone: var(--muted); color: var(--muted); }
.launcher[data-tone] { color: var(--text); }
.card.session > header > .subject { margin-inline-start: 0; color: var(--muted); }
.card.session > header > .badge { margin-inline-start: auto; }
.life { display: flex; align-items: baseline; gap: 6px; }
.countdown { font-size: 22px; line-height: 1.2; font-variant-numeric: tabular-nums; }
.meter { block-size: 6px; margin-block: 8px 10px; border-radius: 3px; background: var(--line); overflow: hidden; }
.level { block-size: 100%; background: var(--sent); border-radius: inherit; }
.meter[data-low] .level { background: var(--held); }
.facts dd { white-space: nowrap; }
.facts [data-fact='Reason'] { grid-column: 1 / -1; }
.facts [data-fact='Reason'] dd { white-space: normal; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(68px, 1fr)); gap: 6px 10px; }
dt { color: var(--muted); font-size: 11px; }
dd { font-variant-numeric: tabular-nums; font-weight: 600; overflow-wrap: anywhere; }
.scopes { display: flex; flex-wrap: wrap; gap: 6px; margin-block-start: 10px; }
.scopes li { padding: 1px 8px; border-radius: 6px; background: var(--canvas); border: 1px solid var(--line); font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
`

const LANES = `
.counters { display: grid; grid-template-columns: repeat(auto-fit, minmax(clamp(54px, (354px - 100%) * 999, 30%), 1fr)); gap: 6px; margin-block-end: 8px; }
.counters dd { font-size: 16px; line-height: 1.2; }
.counters .inFlight dd { color: var(--sent); } .counters .held dd { color: var(--held); }
.counters .replayed dd { color: var(--replayed); } .counters .rejected dd { color: var(--rejected); }
.requests-canvas { display: block; inline-size: 100%; block-size: 72px; border-radius: 6px; background: var(--canvas); margin-block-end: 8px; }
.rows-place { position: relative; block-size: 168px; overflow: auto; overscroll-behavior: contain; border-radius: 6px; contain: strict; }
.rows { position: relative; }
.row { position: absolute; inset-inline: 0; display: grid; grid-template-columns: minmax(72px, 34%) 1fr minmax(92px, auto); align-items: center; gap: 8px; block-size: 24px; padding-inline: 4px; font-size: 12px; contain: layout style; }
.lane-name { overflow: hidden; white-space: nowrap; text-overflow: ellipsis; font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 11px; }
.track { position: relative; block-size: 10px; border-radius: 5px; background: var(--canvas); overflow: hidden; contain: strict; }
.strip { position: absolute; inset: 0; will-change: transform; }
.bar { position: absolute; inset-block: 0; min-inline-size: 1px; background: var(--sent); }
.bar[data-phase='held'] { background: repeating-linear-gradient(-45deg, var(--held) 0 4px, transparent 4px 7px); }
.bar[data-phase='replayed'] { background: var(--replayed); }
.result { text-align: end; white-space: nowrap; font-variant-numeric: tabular-nums; color: var(--muted); }
.row[data-stage='rejected'] .result { color: var(--rejected); } .row[data-stage='held'] .result { color: var(--held); }
`

const LOG = `
.filters { display: flex; flex-wrap: wrap; gap: 6px; margin-block-end: 8px; }
.filter::before { content: ''; display: inline-block; inline-size: 8px; block-size: 8px; margin-inline-end: 6px; border-radius: 50%; background: var(--kind); }
.states, [data-category='states'] { --kind: var(--gated); } .tokens, [data-category='tokens'] { --kind: var(--sent); }
.requests, [data-category='requests'] { --kind: var(--held); } .trouble, [data-category='trouble'] { --kind: var(--rejected); }
.filter.chart, [data-category='chart'] { --kind: var(--muted); }
.events-place { position: relative; max-block-size: 300px; overflow: auto; overscroll-behavior: contain; }
.events li { display: grid; grid-template-columns: auto auto 1fr; gap: 8px; padding: 3px 6px 3px 10px; border-radius: 6px; border-inline-start: 3px solid var(--kind); cursor: pointer; font-size: 12px; }
.events li + li { margin-block-start: 2px; }
.events li:hover, .events li[aria-selected='true'] { background: var(--lit); }
.events time { color: var(--muted); font-variant-numeric: tabular-nums; }
.events b { font: 600 12px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.details { min-inline-size: 0; overflow-wrap: anywhere; color: var(--muted); }
.older { margin-block-start: 8px; }
`

const CHART = `
.state-words { margin-block-end: 8px; font: 600 13px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.chart-place { max-block-size: max(280px, 62vh); overflow: auto; border-radius: 8px; overscroll-behavior-inline: contain; }
.chart-place svg { display: block; inline-size: 100%; min-inline-size: var(--wide); block-size: auto; }
.chart-place.fit svg { min-inline-size: 0; max-block-size: max(280px, 62vh); }
@container (min-width: 860px) { .chart-place, .chart-place.fit svg { max-block-size: max(320px, 100vh - 290px); } }
.floating .chart-place, .floating .chart-place.fit svg { max-block-size: none; }
.chart-place .state > rect { transition: stroke-width .2s, stroke .2s; }
.chart-place .line { transition: stroke .3s, stroke-width .3s; }
.spark { fill: var(--accent); filter: drop-shadow(0 0 4px var(--accent)); }
@media (prefers-reduced-motion: reduce) { .chart-place * { transition: none !important; } }
`
