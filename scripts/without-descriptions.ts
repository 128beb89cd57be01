import type ts from 'typescript'

/**
 * Removes `description` and `meta` from the charts in the build. They serve readers of the source, Stately's tools and the
 * drawings, but would only add size to an app.
 *
 * Replaces them by spaces, so that the source map stays correct for all other characters.
 */
export function withoutDescriptions() {
  return {
    name: 'without-descriptions',
    transform: {
      filter: { id: /\.machine\.ts$/ },
      async handler(code: string) {
        const { default: compiler } = await import('typescript')
        return { code: blankOut(code, compiler), map: null }
      },
    },
  }
}

const LEFT_OUT = new Set(['description', 'meta'])

/** Searches only the argument of `createMachine`: elsewhere the same names may mean something else. */
function blankOut(code: string, compiler: typeof ts): string {
  const source = compiler.createSourceFile('chart.ts', code, compiler.ScriptTarget.Latest, true)
  const ranges: (readonly [start: number, end: number])[] = []
  const visit = (node: ts.Node, inChart: boolean): void => {
    if (inChart && compiler.isPropertyAssignment(node) && LEFT_OUT.has(node.name.getText())) {
      ranges.push([node.getStart(), code[node.end] === ',' ? node.end + 1 : node.end])
    } else if (opensChart(node)) {
      visit(node.expression, inChart)
      for (const argument of node.arguments) visit(argument, true)
    } else compiler.forEachChild(node, (child) => visit(child, inChart))
  }
  const opensChart = (node: ts.Node): node is ts.CallExpression =>
    compiler.isCallExpression(node) &&
    compiler.isPropertyAccessExpression(node.expression) &&
    node.expression.name.text === 'createMachine'
  visit(source, false)
  return ranges.reduceRight((text, [start, end]) => {
    const blank = text.slice(start, end).replace(/[^\n]/g, ' ')
    return text.slice(0, start) + blank + text.slice(end)
  }, code)
}
