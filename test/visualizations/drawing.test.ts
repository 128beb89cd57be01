import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { authMachine } from '../../machines/index.ts'
import type { Box, ChartLayout, LaidState } from '../../src/devtools/chart/chart-layout.ts'
import { drawChart } from '../../src/devtools/chart/draw-chart.ts'
import { mapLayout, overviewLayout } from '../../src/devtools/chart/layouts.ts'
import { LAYOUTS } from '../../visualizations/drawings.ts'
import { reactionLine } from '../../visualizations/names.ts'
import { CODE_SIZE, codeWidth, proseWidth } from '../../visualizations/text.ts'
import { descendants, targetsOf, transitionsOf } from '../../visualizations/tree.ts'
import { hasChromium, launchChromium } from '../support/chromium.ts'

/** The width of a page's column, in pixels. A much wider drawing is scaled down until it is illegible. */
const COLUMN = 830

const layouts = new Map<string, ChartLayout>()
beforeAll(async () => {
  for (const [name, layOut] of Object.entries(LAYOUTS)) layouts.set(name, await layOut())
}, 180_000)
const laid = (name: string) => layouts.get(name)!
const names = Object.keys(LAYOUTS)

const paths = descendants(authMachine.root).map(({ path }) => path.join('.'))
const isFrame = ({ kind }: LaidState) => kind === 'frame' || kind === 'region'

const overlap = (one: Box, other: Box) =>
  one.x < other.x + other.width &&
  other.x < one.x + one.width &&
  one.y < other.y + other.height &&
  other.y < one.y + one.height

/** Lists the pairs of boxes that overlap. */
function collisions(boxes: readonly (readonly [name: string, box: Box])[]): string[] {
  return boxes.flatMap(([name, box], index) =>
    boxes
      .slice(index + 1)
      .filter(([, other]) => overlap(box, other))
      .map(([other]) => `${name} on ${other}`),
  )
}

describe.each(names)('the layout %s', (name) => {
  it('has no overlapping boxes or labels', () => {
    const { states, edges } = laid(name)
    const boxes = states.filter((state) => !isFrame(state)).map((state) => [state.id, state] as const)
    const labels = edges.flatMap(({ id, label }) => (label ? [[id, label] as const] : []))
    expect(collisions([...boxes, ...labels])).toEqual([])
  })

  it('has all elements within its bounds', () => {
    const { states, edges, starts, width, height } = laid(name)
    const points = [...edges, ...starts].flatMap((line) => line.points)
    const corners = [...states, ...edges.flatMap(({ label }) => label ?? [])].flatMap(
      (box): [number, number][] => [
        [box.x, box.y],
        [box.x + box.width, box.y + box.height],
      ],
    )
    for (const [x, y] of [...points, ...corners]) {
      expect(x).toBeGreaterThanOrEqual(0)
      expect(x).toBeLessThanOrEqual(width)
      expect(y).toBeGreaterThanOrEqual(0)
      expect(y).toBeLessThanOrEqual(height)
    }
  })

  it('connects the source and the target of each arrow with straight lines', () => {
    const { states, edges } = laid(name)
    const boxes = new Map(states.map((state) => [state.id, state]))
    const onBorder = (box: Box, [x, y]: readonly [number, number]) =>
      (Math.abs(x - box.x) < 1 ||
        Math.abs(x - box.x - box.width) < 1 ||
        (x > box.x && x < box.x + box.width)) &&
      (Math.abs(y - box.y) < 1 ||
        Math.abs(y - box.y - box.height) < 1 ||
        (y > box.y && y < box.y + box.height))
    for (const { id, from, to, points } of edges) {
      expect(onBorder(boxes.get(from)!, points[0]!), `the beginning of ${id}`).toBe(true)
      expect(onBorder(boxes.get(to)!, points.at(-1)!), `the tip of ${id}`).toBe(true)
      for (const [index, [x, y]] of points.slice(1).entries()) {
        const [beforeX, beforeY] = points[index]!
        expect(x === beforeX || y === beforeY, id).toBe(true)
      }
    }
  })

  it('places states inside their frames', () => {
    const { states } = laid(name)
    for (const frame of states.filter(isFrame)) {
      for (const state of states.filter(({ id, kind }) => id.startsWith(`${frame.id}.`) && kind !== 'any')) {
        if (state.kind === 'elsewhere') continue
        expect(overlap(frame, state), `${state.id} in ${frame.id}`).toBe(true)
        expect(state.x, state.id).toBeGreaterThan(frame.x)
        expect(state.x + state.width, state.id).toBeLessThan(frame.x + frame.width)
        expect(state.y + state.height, state.id).toBeLessThan(frame.y + frame.height)
      }
    }
  })

  it('has frames that are as wide as their texts', () => {
    for (const { id, width, rows } of laid(name).states.filter(isFrame)) {
      for (const { text, code } of rows)
        expect(code ? codeWidth(text, CODE_SIZE) : proseWidth(text), `${id}: ${text}`).toBeLessThan(
          width - 12,
        )
    }
  })

  it('has unique ids of states and of edges', () => {
    const { states, edges } = laid(name)
    for (const ids of [states.map(({ id }) => id), edges.map(({ id }) => id)])
      expect(new Set(ids).size).toBe(ids.length)
  })
})

describe('the layouts', () => {
  it('are the same in every run', async () => {
    expect(await LAYOUTS.auth()).toEqual(laid('auth'))
  })

  it.each(names.filter((name) => name !== 'complete'))('fit into the column of a page: %s', (name) => {
    expect(laid(name).width).toBeLessThan(COLUMN * 1.25)
  })

  it.each(['map', 'complete'])('contain every state: %s', (name) => {
    const shown = laid(name).states.filter(({ kind }) => kind !== 'any')
    expect(shown.map(({ id }) => id).sort()).toEqual([...paths].sort())
  })

  it('contain every transition, as an arrow or as a line in a box', () => {
    const { states, edges } = laid('complete')
    const drawn = [
      ...edges.flatMap(({ transitions }) =>
        transitions.map(({ source, event, guard = '', target }) => [source, event, guard, target].join(' ')),
      ),
      ...states.flatMap(({ id, rows }) => rows.map(({ text }) => `${id} ${text}`)),
    ]
    const missing = transitionsOf(authMachine.root).filter((transition) => {
      const { source, eventType, guard, target, actions } = transition
      const [to] = targetsOf(transition)
      const path = source.path.join('.')
      // Drawings have no box for the root, so they leave out its transitions without a target.
      if (path === '' && !to) return false
      // Only restarts a timer.
      if (to === source && actions.length === 0) return false
      const line = `${path} ${reactionLine(transition)}`
      const arrow = [path, eventType, guard ?? '', to?.path.join('.')].join(' ')
      return !drawn.includes(to === source || target === undefined ? line : arrow)
    })
    expect(missing.map(({ source, eventType }) => `${source.id} ${eventType}`)).toEqual([])
  })

  it('color each state by what it does with requests, and explain the colors', () => {
    const { states, legend } = laid('map')
    expect(states.filter(({ kind, tone }) => kind !== 'any' && tone === 'plain')).toEqual([])
    expect(legend.map(({ tone }) => tone)).toEqual(['pass', 'hold', 'anonymous', 'refuse', 'gated'])
  })

  it('are the same as those in the devtools', () => {
    expect(overviewLayout).toEqual(laid('auth'))
    expect(mapLayout).toEqual(laid('map'))
  })
})

describe('drawChart', () => {
  const svg = () => drawChart(laid('auth'))

  it('gives every state and every arrow an attribute to find it', () => {
    const { states, edges } = laid('auth')
    for (const { id } of states) expect(svg()).toContain(`data-state="${id.replaceAll('>', '&#62;')}"`)
    for (const { id } of edges) {
      const attribute = `data-transition="${id.replaceAll('>', '&#62;')}"`
      expect(svg().split(attribute)).toHaveLength(3)
    }
  })

  it('contains no scripts and no external resources', () => {
    for (const name of names) {
      const text = drawChart(laid(name))
      expect(text).not.toMatch(/<script|\bon\w+=|href|url\(|@import|<foreignObject/i)
    }
  })

  it('escapes text', () => {
    const layout: ChartLayout = { ...laid('auth'), title: '<b>"&' }
    expect(drawChart(layout)).toContain('<title>&#60;b&#62;&#34;&#38;</title>')
  })

  it('draws the same for both themes, except for colours', () => {
    const bare = (theme: 'light' | 'dark') =>
      drawChart(laid('auth'), { theme })
        .replace(/<style>.*<\/style>/, '')
        .replace(/authchart \w+/, '')
    expect(bare('dark')).toBe(bare('light'))
    expect(drawChart(laid('auth'), { theme: 'dark' })).not.toBe(svg())
  })
})

describe.skipIf(!hasChromium)('the drawings in Chromium', () => {
  let browser: Awaited<ReturnType<typeof launchChromium>>
  beforeAll(async () => {
    browser = await launchChromium()
  })
  afterAll(() => browser?.close())

  it.each(names)('have enough space for every text: %s', async (name) => {
    const page = await browser.newPage()
    await page.setContent(drawChart(laid(name)))
    const texts = await page.evaluate(() =>
      [...document.querySelectorAll<SVGGElement>('.state[data-state],.label')].flatMap((group) => {
        const rect = group.querySelector('rect')!.getBBox()
        return [...group.querySelectorAll('text')]
          .filter((text) => {
            const box = text.getBBox()
            return (
              box.x < rect.x ||
              box.x + box.width > rect.x + rect.width ||
              box.y + box.height > rect.y + rect.height + 1
            )
          })
          .map((text) => text.textContent)
      }),
    )
    await page.close()
    expect(texts).toEqual([])
  })

  it('highlight active elements, and do not change the styles of the page', async () => {
    const page = await browser.newPage()
    await page.setContent(`<p class="name">page</p>${drawChart(laid('map'))}`)
    const strokes = await page.evaluate(() => {
      const state = document.querySelector('[data-state="refreshing.gate.closed"]')!
      const arrow = document.querySelector(
        '.edge[data-transition="refreshing.gate.open -> refreshing.gate.closed"]',
      )!
      const look = () =>
        [state.querySelector('rect')!, arrow.querySelector('.line')!].map(
          (part) => getComputedStyle(part).strokeWidth,
        )
      const before = look()
      for (const part of [state, arrow]) part.setAttribute('data-active', '')
      return { before, after: look(), page: getComputedStyle(document.querySelector('p')!).fontWeight }
    })
    await page.close()
    expect(strokes).toEqual({ before: ['1.4px', '1.4px'], after: ['3.5px', '3px'], page: '400' })
  })
})
