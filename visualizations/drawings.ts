/** All drawings, and the layout options of each. */
import { authMachine } from '../machines/index.ts'
import { bare, diagramOf } from './diagram.ts'
import { type LayoutOptions, layoutDiagram } from './layout.ts'
import { toMermaid } from './mermaid.ts'
import { viewToMermaid } from './mermaid-view.ts'
import { detail, overview } from './views.ts'
import { wholeDiagram } from './whole-diagram.ts'

// A failed sign-in returns to the state before it. Its edges to five states would hide the others.
const auth = overview(authMachine, { without: ['error authenticate'] })
const attempt = detail(authMachine, ['refreshing', 'attempt'])
const gate = detail(authMachine, ['refreshing', 'gate'])
const restoring = detail(authMachine, ['restoring'])
const authenticated = detail(authMachine, ['authenticated'])

/** Mermaid texts, by file name. */
export const MERMAID: Readonly<Record<string, string>> = {
  auth: viewToMermaid(auth),
  attempt: viewToMermaid(attempt, { direction: 'LR' }),
  gate: viewToMermaid(gate, { direction: 'LR' }),
  restoring: viewToMermaid(restoring, { direction: 'LR' }),
  authenticated: viewToMermaid(authenticated),
  complete: toMermaid(authMachine),
}

/** Layout options that make each drawing fit the width of a page. Found by experiment. */
const ARRANGEMENTS = {
  auth: {
    prose: 180,
    letters: 22,
    elk: {
      'elk.layered.considerModelOrder.strategy': 'NONE',
      'elk.layered.cycleBreaking.strategy': 'MODEL_ORDER',
      'elk.layered.compaction.postCompaction.strategy': 'EDGE_LENGTH',
      'elk.layered.edgeLabels.centerLabelPlacementStrategy': 'HEAD_LAYER',
      'elk.layered.edgeLabels.sideSelection': 'ALWAYS_DOWN',
      'elk.separateConnectedComponents': 'false',
      'elk.randomSeed': '5',
    },
  },
  attempt: {
    prose: 110,
    letters: 22,
    elk: {
      'elk.layered.nodePlacement.strategy': 'BRANDES_KOEPF',
      'elk.layered.cycleBreaking.strategy': 'GREEDY',
      'elk.layered.edgeLabels.centerLabelPlacementStrategy': 'HEAD_LAYER',
      'elk.layered.edgeLabels.sideSelection': 'ALWAYS_DOWN',
      'elk.randomSeed': '13',
    },
  },
  restoring: {
    prose: 130,
    letters: 22,
    elk: {
      'elk.layered.considerModelOrder.strategy': 'NONE',
      'elk.layered.cycleBreaking.strategy': 'GREEDY',
      'elk.layered.layering.strategy': 'COFFMAN_GRAHAM',
      'elk.layered.edgeLabels.centerLabelPlacementStrategy': 'SPACE_EFFICIENT_LAYER',
      'elk.layered.edgeLabels.sideSelection': 'ALWAYS_DOWN',
      'elk.separateConnectedComponents': 'false',
      'elk.randomSeed': '3',
    },
  },
  complete: {
    prose: 110,
    letters: 22,
    elk: {
      'elk.layered.nodePlacement.strategy': 'LINEAR_SEGMENTS',
      'elk.layered.considerModelOrder.strategy': 'NONE',
      'elk.layered.cycleBreaking.strategy': 'GREEDY',
      'elk.layered.edgeLabels.centerLabelPlacementStrategy': 'SPACE_EFFICIENT_LAYER',
      'elk.layered.edgeLabels.sideSelection': 'ALWAYS_DOWN',
      'elk.separateConnectedComponents': 'false',
      'elk.randomSeed': '37',
    },
  },
  map: {
    elk: {
      'elk.layered.considerModelOrder.strategy': 'NONE',
      'elk.layered.cycleBreaking.strategy': 'GREEDY',
      'elk.layered.compaction.postCompaction.strategy': 'EDGE_LENGTH',
      'elk.separateConnectedComponents': 'false',
      'elk.spacing.nodeNode': '14',
      'elk.spacing.edgeNode': '8',
      'elk.spacing.edgeEdge': '7',
      'elk.layered.spacing.nodeNodeBetweenLayers': '16',
      'elk.layered.spacing.edgeNodeBetweenLayers': '8',
      'elk.layered.spacing.edgeEdgeBetweenLayers': '7',
      'elk.randomSeed': '13',
    },
  },
} satisfies Record<string, LayoutOptions>

/** Layouts, by file name. */
export const LAYOUTS = {
  auth: () =>
    layoutDiagram(
      diagramOf(auth, {
        title: 'The session: its states, and what leads from one to another',
        effects: false,
      }),
      ARRANGEMENTS.auth,
    ),
  attempt: () =>
    layoutDiagram(
      diagramOf(attempt, { title: 'Refreshing: the attempts at the token endpoint' }),
      ARRANGEMENTS.attempt,
    ),
  gate: () => layoutDiagram(diagramOf(gate, { title: 'Refreshing: whether requests are sent or wait' })),
  restoring: () =>
    layoutDiagram(
      diagramOf(restoring, { title: 'How a session is restored at the start', direction: 'RIGHT' }),
      ARRANGEMENTS.restoring,
    ),
  map: () =>
    layoutDiagram(bare(wholeDiagram(authMachine, { title: 'Every state, by its name' })), ARRANGEMENTS.map),
  authenticated: () => layoutDiagram(diagramOf(authenticated, { title: 'With a working token' })),
  complete: () =>
    layoutDiagram(
      wholeDiagram(authMachine, { title: 'Every state and every transition' }),
      ARRANGEMENTS.complete,
    ),
}
