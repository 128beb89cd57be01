/** The edges between states, to find out at the end whether any run has a cycle. */
export function createEdges() {
  let targets = new Int32Array(1 << 18)
  let firsts = new Int32Array(1 << 16)
  let count = 0
  const grown = (array: Int32Array) => {
    const larger = new Int32Array(array.length * 2)
    larger.set(array)
    return larger
  }
  return {
    open(state: number) {
      if (state === firsts.length) firsts = grown(firsts)
      firsts[state] = count
    },
    add(target: number) {
      if (count === targets.length) targets = grown(targets)
      targets[count++] = target
    },
    /** Removes states without incoming edges, again and again. If some states remain, they contain a cycle. */
    hasCycle(states: number): boolean {
      const leading = new Int32Array(states)
      for (let edge = 0; edge < count; edge++) leading[targets[edge]!]!++
      const ready = new Int32Array(states)
      let end = 0
      for (let state = 0; state < states; state++) if (leading[state] === 0) ready[end++] = state
      for (let next = 0; next < end; next++) {
        const state = ready[next]!
        for (let edge = firsts[state]!; edge < firsts[state + 1]!; edge++) {
          const target = targets[edge]!
          leading[target]!--
          if (leading[target] === 0) ready[end++] = target
        }
      }
      return end < states
    },
  }
}
