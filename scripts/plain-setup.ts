/**
 * Builds the chart without XState's own `setup`, which brings along every action creator there is. All the chart gets from it
 * is `createMachine` with two arguments. The source keeps `setup`, for its types and for Stately's tools.
 */
export function plainSetup() {
  return {
    name: 'plain-setup',
    transform: {
      filter: { id: /\.machine\.ts$/ },
      handler(code: string) {
        const imported = /\bsetup\b(?=[^}]*\} from ['"]xstate['"])/
        if (!imported.test(code)) throw new Error('plain-setup: the chart does not import setup from xstate.')
        return { code: code.replace(imported, 'createMachine') + PLAIN_SETUP, map: null }
      },
    },
  }
}

const PLAIN_SETUP = `
function setup(parts) {
  return { createMachine: (chart) => createMachine(chart, parts) }
}
`
