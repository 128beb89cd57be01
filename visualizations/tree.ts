import type { AnyStateNode, AnyTransitionDefinition } from 'xstate'

export function nodePath(node: AnyStateNode): string {
  return node.path.join('.')
}

/** A state and its ancestors, the state first. */
export function lineage(node: AnyStateNode): AnyStateNode[] {
  return node.parent ? [node, ...lineage(node.parent)] : [node]
}

export function isComposite(node: AnyStateNode): boolean {
  return node.type === 'compound' || node.type === 'parallel'
}

export function isWithin(node: AnyStateNode, ancestor: AnyStateNode): boolean {
  return node.parent !== undefined && (node.parent === ancestor || isWithin(node.parent, ancestor))
}

export function children(node: AnyStateNode): AnyStateNode[] {
  return Object.values(node.states)
}

export function descendants(node: AnyStateNode): AnyStateNode[] {
  return children(node).flatMap((child) => [child, ...descendants(child)])
}

/** All transitions of a chart, those of the root first. Within a state, in the order in which they are tried. */
export function transitionsOf(root: AnyStateNode): AnyTransitionDefinition[] {
  return [root, ...descendants(root)].flatMap((node) => [
    ...(node.always ?? []),
    ...[...node.transitions.values()].flat(),
  ])
}

/** The targets of a transition; empty if it changes no state. */
export function targetsOf({ target }: AnyTransitionDefinition): readonly AnyStateNode[] {
  return (target as readonly AnyStateNode[] | undefined) ?? []
}
