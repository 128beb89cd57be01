/** Locators of the parts of a panel. */
import { readFile } from 'node:fs/promises'
import type { Locator, Page } from 'playwright-core'

declare global {
  var place: typeof import('./page.ts').place
}

export function panelOf(page: Page | Locator) {
  const part = (selector: string) => page.locator(selector)
  const button = (name: string) => page.getByRole('button', { name, exact: true })
  const lit = (path: string) => part(`.state[data-state="${path}"][data-active]`)
  const slider = page.getByRole('slider', { name: 'Moment' })

  return {
    part,
    button,
    /** An active state of the chart. */
    lit,
    /** The paths of all lit states. */
    litStates: () =>
      part('.state[data-active]').evaluateAll((states) =>
        states.map((state) => (state as SVGElement).dataset.state),
      ),
    /** The ids of all lit arrows. */
    litEdges: () =>
      part('.edge[data-active]').evaluateAll((edges) =>
        edges.map((edge) => (edge as SVGElement).dataset.transition),
      ),
    counters: () =>
      part('[data-counter]').evaluateAll((counters) =>
        Object.fromEntries(
          counters.map((counter) => [(counter as HTMLElement).dataset.counter, Number(counter.textContent)]),
        ),
      ),
    lanes: () =>
      part('[data-request]').evaluateAll((rows) =>
        rows.map((row) => {
          const { stage, phases } = (row as HTMLElement).dataset
          return `${stage}: ${phases}`
        }),
      ),
    /** The events in the log, newest first. */
    events: () =>
      part('[data-event]').evaluateAll((rows) => rows.map((row) => (row as HTMLElement).dataset.event)),
    chosen: part('[data-event][aria-selected="true"]'),
    /** The index of the active row of the log. */
    active: () =>
      part('ol.events').evaluate((list) => {
        const id = list.getAttribute('aria-activedescendant')
        return id === null ? undefined : [...list.children].findIndex((row) => row.id === id)
      }),
    /** Shows each event of a refresh in a row of its own. */
    unfold: () => button('fold refreshes').click(),
    log: page.getByRole('listbox', { name: 'Events, newest first' }),
    filter: (kind: string) => part(`.filter.${kind}`),
    search: page.getByRole('searchbox', { name: 'Filter events by text' }),
    slider,
    moveTo: (moment: number) => slider.fill(String(moment)),
    live: button('Live'),
    isLive: async () => (await button('Live').getAttribute('aria-pressed')) === 'true',
    banner: part('.banner'),
    words: part('.state-words'),
    /** Loads a file with the given text. */
    load: (name: string, text: string) =>
      part('input[type=file]').setInputFiles({
        name,
        mimeType: 'application/json',
        buffer: Buffer.from(text),
      }),
  }
}

/** Presses `Export`, and returns the downloaded file. */
export async function exported(page: Page): Promise<{ readonly name: string; readonly text: string }> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    panelOf(page).button('Export').click(),
  ])
  return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') }
}
