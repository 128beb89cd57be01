import type ts from 'typescript'

/**
 * Takes `description` and `meta` out of the charts that are built: they are there for whoever reads the source, opens it in
 * Stately's tools or looks at its drawings, and every page would carry them for nobody.
 *
 * Blanks take their place, so that every other character stays where the source map says it is.
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

/** Looks only at what `createMachine` is given: elsewhere the same words may mean something else. */
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
