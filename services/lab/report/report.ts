import { conditionsText, delayText, figureText, LATENESS, LOOP_DELAY, saturatedText, unitText } from '../cli/result-text.ts';
import type { ArmResult, Result } from '../result.ts';
import { shownNumber } from '../verdict.ts';
import { headlineChart } from './headline-chart.ts';
import { type Content, html, Markup } from './html.ts';
import { byScenario, type Range, type Repeats, repeatsOf } from './repeats.ts';

const STYLE = new Markup(`
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff; }
  h1, h2 { line-height: 1.2; } h2 { margin-top: 3rem; border-top: 1px solid #ccc; padding-top: 1.5rem; }
  table { border-collapse: collapse; display: block; overflow-x: auto; } th, td { padding: .25rem .75rem; text-align: left; vertical-align: top; }
  thead th { border-bottom: 2px solid #888; } td { border-bottom: 1px solid #ddd; } td.number { text-align: right; white-space: nowrap; }
  svg { max-width: 100%; height: auto; } .by, .conditions { color: #555; font-size: .9rem; white-space: pre-line; }
  .good { color: #17682b; } .bad { color: #a3151f; } .open { color: #7a5200; }`);

/** A run that belongs here and has given no result. */
interface NotRun {
  readonly scenario: string;
  readonly because: string;
}

/**
 * The report of some results as one page of HTML: every claim with its verdict, figures, checks, conditions, and what it does not
 * show. Of a scenario that was run several times it says how far the runs differ, and shows one: the first that has not passed,
 * else the last. The page loads nothing, runs nothing, and is the same for the same results.
 */
export async function reportHtml(results: readonly Result[], notRun: readonly NotRun[] = []): Promise<string> {
  const groups = [...byScenario(results).values()];
  const sections = await Promise.all(groups.map(runs => section(runs)));
  const names = new Set([...results, ...notRun].map(({ scenario }) => scenario));
  const failed = new Set([...results.filter(({ passed }) => !passed), ...notRun].map(({ scenario }) => scenario));
  const page = html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
<meta name="viewport" content="width=device-width"/>
<title>Telltale: claims and what became of them</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Claims about gRPC, and what became of them</h1>
<p>${names.size - failed.size} of ${names.size} scenarios passed all of their checks. Each was run for real in this mesh, beside a control that lacks
what the claim is about. Figures are medians over repetitions, with their range; compare them within a table, not between machines.</p>
${notRun.length > 0 ? html`<p class="bad">Not run: ${notRun.map(({ scenario, because }) => `${scenario} (${because})`).join(', ')}.</p>` : ''}
<table>
<thead><tr><th>Scenario</th><th>Claim</th><th>Verdict</th><th>Headline</th></tr></thead>
<tbody>${groups.map(summaryRow)}</tbody>
</table>
${sections}
</body>
</html>
`;
  return page.text;
}

/** The run of a scenario that is shown in full. */
function shownOf(runs: readonly Result[]): Result {
  return runs.find(({ passed }) => !passed) ?? (runs.at(-1) as Result);
}

function summaryRow(runs: readonly Result[]): Markup {
  const result = shownOf(runs);
  const { scenario, claim } = result;
  const { figure, arm, control } = result.headline;
  const { title = figure, unit = '' } = result.figures[figure] ?? {};
  const { headline, verdicts } = repeatsOf(runs);
  const counts = Object.entries(verdicts).map(([kind, count]) => `${count} × ${kind}`);
  const verdict = runs.length === 1 ? verdictMark(result) : html`${verdictMark(result)}: ${counts.join(', ')}`;
  const shown = `${unitText(title, unit)}: ${arm} ${rangeText(headline.arm)}, ${control} ${rangeText(headline.control)}`;
  return html`
<tr><td><a href="#${scenario}">${scenario}</a></td><td>${claim.says}</td><td>${verdict}</td><td>${shown}</td></tr>`;
}

function rangeText({ min, median, max }: Range): string {
  return min === max ? shownNumber(median) : `${shownNumber(median)} (${shownNumber(min)} – ${shownNumber(max)})`;
}

function verdictMark({ verdict, passed }: Result): Markup {
  const look = passed ? 'good' : verdict.kind === 'does not hold' ? 'bad' : 'open';
  return html`<strong class="${look}">${verdict.kind}</strong>`;
}

/** How far several runs of a scenario differ. */
function repeatsTable({ runs, checks }: Repeats): Markup {
  const row = ({ says, made, passed }: Repeats['checks'][number]) =>
    html`<tr><td>${says}</td><td class="number"><span class="${passed === runs ? 'good' : 'bad'}">${passed} of ${made}</span></td></tr>`;
  return html`<h3>In ${runs} runs</h3>
<table>
<thead><tr><th>Check</th><th>Passed</th></tr></thead>
<tbody>${checks.map(row)}</tbody>
</table>
<p>One of these runs in full:</p>`;
}

async function section(runs: readonly Result[]): Promise<Markup> {
  const result = shownOf(runs);
  const chart = await headlineChart(result);
  const { scenario, claim, verdict, checks, conditions, startedAt } = result;
  const check = ({ passed, says, observed }: Result['checks'][number]) =>
    html`<li><span class="${passed ? 'good' : 'bad'}">${passed ? '✔ passed' : '✘ failed'}</span> ${says}: ${observed}</li>`;
  return html`
<section id="${scenario}">
<h2>${scenario}</h2>
<p><strong>${claim.says}.</strong> <span class="by">(${claim.by})</span></p>
${runs.length > 1 ? repeatsTable(repeatsOf(runs)) : ''}
<p>${verdictMark(result)}: ${verdict.sentence}</p>
${chart ? html`<figure>${chart}</figure>` : html`<p>Nothing was measured.</p>`}
${figuresTable(result)}
<h3>Checks</h3>
<ul>${checks.map(check)}</ul>
<h3>Not tested</h3>
<ul>${conditions.notTested.map(limit => html`<li>${limit}</li>`)}</ul>
<h3>Conditions</h3>
<p class="conditions">${conditionsText(result)}
begun ${startedAt}; records of all hops: ${conditions.completeCalls} of ${conditions.calls} calls, ${conditions.droppedRecords} records dropped</p>
</section>`;
}

function figuresTable({ arms, figures }: Result): Markup {
  const row = (name: string, cell: (arm: ArmResult) => Content) =>
    html`<tr><td>${name}</td>${arms.map(arm => html`<td class="number">${cell(arm)}</td>`)}</tr>`;
  const services = [...new Set(arms.flatMap(({ cpu }) => Object.keys(cpu.servicesPerCallUs)))].sort();
  const head = arms.map(({ name, title, control }) => html`<th title="${title}">${name}${control ? ' (control)' : ''}</th>`);
  return html`<table>
<thead><tr><th>Figure</th>${head}</tr></thead>
<tbody>
${Object.entries(figures).map(([name, { title, unit }]) => row(unitText(title, unit), arm => figureText(arm.figures[name])))}
${row('Latency p50 / p99, ms', ({ latencyMs }) => `${shownMs(latencyMs?.p50)} / ${shownMs(latencyMs?.p99)}`)}
${row(LATENESS, ({ latenessMs }) => delayText(latenessMs))}
${row(LOOP_DELAY, ({ loopDelayMs }) => delayText(loopDelayMs))}
${services.map(service => row(`CPU of ${service}, µs per call`, ({ cpu }) => shownNumber(cpu.servicesPerCallUs[service] ?? null)))}
${row('CPU of the lab, µs per call', ({ cpu }) => cpu.labPerCallUs)}
${row('Saturated', saturatedText)}
</tbody>
</table>
<ul>${arms.map(({ name, title }) => html`<li>${name}: ${title}</li>`)}</ul>`;
}

const shownMs = (ms: number | undefined) => (ms === undefined ? '–' : ms.toFixed(1));
