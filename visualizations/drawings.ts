/** The drawings there are, and how each is arranged. */
import { authMachine } from '../machines/index.ts'
import { bare, diagramOf } from './diagram.ts'
import { type LayoutOptions, layOut } from './lay-out.ts'
import { toMermaid } from './mermaid.ts'
import { viewToMermaid } from './mermaid-view.ts'
import { detail, overview } from './views.ts'
import { wholeDiagram } from './whole-diagram.ts'

// A sign-in that fails leads back to where it came from, whichever state that was: five edges that hide the others.
const auth = overview(authMachine, { without: ['error authenticate'] })
const exchange = detail(authMachine, ['refreshing', 'exchange'])
const gate = detail(authMachine, ['refreshing', 'gate'])
const restoring = detail(authMachine, ['restoring'])
const authenticated = detail(authMachine, ['authenticated'])

/** As Mermaid text, by the name of the file. */
export const MERMAID: Readonly<Record<string, string>> = {
  auth: viewToMermaid(auth),
  exchange: viewToMermaid(exchange, { direction: 'LR' }),
  gate: viewToMermaid(gate, { direction: 'LR' }),
  restoring: viewToMermaid(restoring, { direction: 'LR' }),
  authenticated: viewToMermaid(authenticated),
  complete: toMermaid(authMachine),
}

/** What made each drawing small enough for the width of a page: found by trying. */
const ARRANGED = {
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
  exchange: {
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
      'elk.layered.nodePlacement.strategy': 'BRANDES_KOEPF',
      'elk.layered.considerModelOrder.strategy': 'NONE',
      'elk.layered.cycleBreaking.strategy': 'GREEDY',
      'elk.layered.layering.strategy': 'LONGEST_PATH_SOURCE',
      'elk.separateConnectedComponents': 'false',
      'elk.spacing.nodeNode': '14',
      'elk.spacing.edgeNode': '8',
      'elk.spacing.edgeEdge': '7',
      'elk.layered.spacing.nodeNodeBetweenLayers': '16',
      'elk.layered.spacing.edgeNodeBetweenLayers': '8',
      'elk.layered.spacing.edgeEdgeBetweenLayers': '7',
      'elk.randomSeed': '47',
    },
  },
} satisfies Record<string, LayoutOptions>

/** As layouts, by the name of the file. */
export const LAYOUTS = {
  auth: () =>
    layOut(
      diagramOf(auth, {
        title: 'The session: its states, and what leads from one to another',
        effects: false,
      }),
      ARRANGED.auth,
    ),
  exchange: () =>
    layOut(
      diagramOf(exchange, { title: 'Refreshing: the exchange with the token endpoint' }),
      ARRANGED.exchange,
    ),
  gate: () => layOut(diagramOf(gate, { title: 'Refreshing: whether requests go or wait' })),
  restoring: () =>
    layOut(
      diagramOf(restoring, { title: 'How a session is found at the start', direction: 'RIGHT' }),
      ARRANGED.restoring,
    ),
  map: () => layOut(bare(wholeDiagram(authMachine, { title: 'Every state, by its name' })), ARRANGED.map),
  authenticated: () => layOut(diagramOf(authenticated, { title: 'With a working token' })),
  complete: () =>
    layOut(wholeDiagram(authMachine, { title: 'Every state and every transition' }), ARRANGED.complete),
}
