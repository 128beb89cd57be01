import { describe, expect, it } from 'vitest'

interface Result {
  readonly words: number
  readonly found: readonly { readonly line: number; readonly words: string; readonly instead: string }[]
}

const script = new URL('../../scripts/english.mjs', import.meta.url).href
const { mannerisms }: { mannerisms: (file: string, text: string) => Result } = await import(script)

const foundIn = (file: string, text: string) =>
  mannerisms(file, text).found.map(({ line, words }) => `${line}: ${words}`)

// The beginnings of comments have names, so that the check does not read the samples of this file as comments.
const LINE = '//'
const BLOCK = '/*'
const MARKUP = ['<', '!--'].join('')
const FENCE = '```'

const BAD: readonly (readonly [sentence: string, words: string])[] = [
  ['The lock is skipped where the store cannot take it.', 'where the store cannot'],
  ['Sent again where `replayable` is set.', 'where `replayable` is'],
  ['It is read where none other does.', 'where none other does'],
  ['Nobody reads it.', 'Nobody'],
  ["It is somebody's own.", "somebody's"],
  ['Whoever waits is rejected.', 'Whoever'],
  ['The page asks who waits.', 'who'],
  ['He signs in again.', 'He'],
  ['The chart is told at once.', 'told'],
  ['Every tab hears of it.', 'hears'],
  ['The rule stands in one file.', 'stands'],
  ['It waits, for it has no token.', 'for it'],
  ['The session is over by then.', 'is over'],
  ['A token that is dead.', 'is dead'],
  ['There is none.', 'is none'],
  ['That is no news.', 'is no'],
  ['A sibling writes the store.', 'sibling'],
  ['The caller waits in vain.', 'in vain'],
]

const GOOD: readonly string[] = [
  'If the store cannot lock, the refresh goes on without a lock.',
  'The folder where tokens live.',
  'The session shows who is signed in.',
  'People who sign in again keep their requests.',
  'The token is no longer valid, and the calls are no more than three.',
  '`at` stands for an instant.',
  'It waits for it, for at most five seconds.',
  'Names such as `nobody`, @told and [a link](sibling.md) are code.',
  'An overview of whole shoulders.',
]

describe('scripts/english.mjs', () => {
  it.each(BAD)('the check finds the mannerism in "%s"', (sentence, words) => {
    expect(foundIn('a.md', `# Title\n\n${sentence}\n`)).toEqual([`3: ${words}`])
    expect(foundIn('a.ts', `const a = 1\n\n// ${sentence}\n`)).toEqual([`3: ${words}`])
  })

  it.each(GOOD)('the check accepts the plain sentence "%s"', (sentence) => {
    expect(foundIn('a.md', sentence)).toEqual([])
    expect(foundIn('a.ts', `/** ${sentence} */`)).toEqual([])
  })

  it('the check finds words that a line break divides, and reports their first line', () => {
    expect(foundIn('a.ts', '/**\n * Sent where the\n * store is.\n */')).toEqual(['2: where the store is'])
    expect(foundIn('a.ts', `f() ${LINE} Sent where\n${LINE} it is.`)).toEqual(['1: where it is'])
  })

  it('the check reads test titles in all notations', () => {
    const calls = [
      "it('@')",
      'describe("@")',
      'test.only(`@`)',
      "it.each([[1], [f(2)]])('@')",
      "it.skipIf(no)('@')",
    ]
    for (const call of calls) {
      expect(foundIn('a.test.ts', `\n${call.replace('@', 'nobody is $name')}`)).toEqual(['2: nobody'])
    }
  })

  it('the check reads comments of markup and styles', () => {
    expect(foundIn('a.vue', `<p>told</p>\n${MARKUP} told -->`)).toEqual(['2: told'])
    expect(foundIn('a.css', `p { color: red } ${BLOCK} told */`)).toEqual(['1: told'])
  })

  it('the check skips code, strings, snippets and comments of Markdown', () => {
    expect(foundIn('a.ts', "const told = 'nobody' + `whoever`\nconst url = 'http://told'")).toEqual([])
    expect(foundIn('a.ts', '/**\n * Text.\n * ```ts\n * told()\n * ```\n */')).toEqual([])
    expect(
      foundIn('a.md', `Text.\n${FENCE}ts\n${LINE} told\n${FENCE}\n${MARKUP} prelude: told -->\n`),
    ).toEqual([])
  })

  it('the check counts only words of prose', () => {
    expect(mannerisms('a.ts', 'const four = 4 // three plain words').words).toBe(3)
  })
})
