import type { AnyStateNode, AnyTransitionDefinition } from 'xstate'

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

/** Every transition of a chart, the root's own first; in each state, in the order they are tried. */
export function transitionsOf(root: AnyStateNode): AnyTransitionDefinition[] {
  return [root, ...descendants(root)].flatMap((node) => [
    ...(node.always ?? []),
    ...[...node.transitions.values()].flat(),
  ])
}

/** Where a transition leads: nowhere, where it changes no state. */
export function targetsOf({ target }: AnyTransitionDefinition): readonly AnyStateNode[] {
  return (target as readonly AnyStateNode[] | undefined) ?? []
}
