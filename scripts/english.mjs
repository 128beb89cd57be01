// Checks that comments, Markdown and test titles are in plain English: `npm run lint`, or `node scripts/english.mjs`.
// Prints `file:line: the words found -> what to write`, and fails above LIMIT findings per 1,000 words.
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Findings per 1,000 words of prose. */
export const LIMIT = 0.5

const VERB = '(?:is|are|was|were|has|have|had|does|do|did|can|cannot|could|will|would|may|must)'

/** What to write instead, and the words that ask for it. A space in a pattern matches a line break, too. */
const PATTERNS = [
  ['if', `where(?: [\\w;’'-]+){1,3}? ${VERB}`],
  ['no user, no caller, nothing ...', "(?:no|some|any)body(?:[’']s)?"],
  ['a noun: the caller, the tab, the request', '(?:whoever|whomever|whom)'],
  ['a noun: the caller, the tab, the request', '(?<!(?:people|person|users?|someone|anyone|those) )who'],
  ['they, their, them', '(?:he|his|him|himself)'],
  ['notify, report, show, say what', '(?:tell|tells|told|telling)'],
  ['receive, listen', '(?:hear|hears|heard|hearing)'],
  ['is, exists, has', '(?:stands?|stood)(?! for)'],
  ['because', '(?<=, )for (?:it|he|she|they|that|there|this|these|who\\w*|nobody|nothing)'],
  ['ended, expired', '(?:is|are|was|were|be|been) (?:over|dead)'],
  ['has no, does not, or a positive sentence', '(?:is|are) (?:none|no)'],
  ['another tab, another process', 'siblings?'],
  ['a plain word: useless, almost, equal', '(?:in vain|as good as|as said)'],
].map(([instead, words]) => [
  instead,
  new RegExp(`(?<![\\w'-])${words.replaceAll(' ', '\\s+')}(?![\\w-])`, 'gi'),
])

/** Correct English that a pattern finds. */
const FALSE_ALARMS = [
  [/\bwho\s+(?:is|was|are)\s+signed\s+in\b/gi, 'names the user of a session, like "who am I"'],
  [/(?:is|are)\s+no\s+(?:longer|more\s+than)\b/gi, 'a time or a number, not a negation used as a noun'],
]

const hide = (text) => text.replace(/\S/g, ';')
const SOURCE = /\.(?:[cm]?[jt]sx?|vue|svelte|html|css)$/
const COMMENT = /(?<![\w'"`*/\\])\/\*[\s\S]*?\*\/|(?<![\S])\/\/.*|<!--[\s\S]*?-->/g
const TITLE =
  /(?:(?<![\w.])(?:it|test|describe)(?:\.\w+)*(?:\((?:[^()]|\([^()]*\))*\))?\(|\]\)\()\s*(?:'((?:\\.|[^'\\\n])*)'|"((?:\\.|[^"\\\n])*)"|`((?:\\.|[^`\\])*)`)/g

/** Replaces by `;` whatever is not prose; each line keeps its number. */
function proseOf(file, text) {
  let prose = text
  if (SOURCE.test(file)) {
    const spans = [...text.matchAll(COMMENT)].map(({ 0: comment, index }) => [index, comment])
    for (const { 0: call, 1: single, 2: double, 3: template, index } of text.matchAll(TITLE)) {
      const title = single ?? double ?? template
      spans.push([index + call.length - title.length - 1, title])
    }
    prose = hide(text)
    for (const [start, words] of spans) {
      prose = prose.slice(0, start) + words + prose.slice(start + words.length)
    }
    // The marks of a comment are not words, so that a sentence goes on in the next line.
    prose = prose.replace(/^[ \t]*(?:\/\/+|\/\*+|\*+(?!\/))|<!--|-->/gm, (mark) => ' '.repeat(mark.length))
    prose = prose.replace(/\$\{[^}]*\}/g, hide)
  }
  const snippets = /^([ *]*)(```+|~~~+)[\s\S]*?^\1\2/gm
  const code = /<!--[\s\S]*?-->|`[^`\n]*`|\]\([^)\s]*\)|@\w+/g
  return prose.replace(snippets, hide).replace(code, hide)
}

/**
 * The mannerisms of one file, and how many words of prose it has. Of code, these are comments and the titles of tests.
 *
 * @param {string} file its name: the ending decides what is prose
 * @param {string} text its content
 * @returns {{ words: number, found: { line: number, words: string, instead: string }[] }}
 */
export function mannerisms(file, text) {
  const prose = proseOf(file, text)
  const words = prose.match(/[A-Za-z][A-Za-z'-]*/g)?.length ?? 0
  const plain = FALSE_ALARMS.reduce((rest, [pattern]) => rest.replace(pattern, hide), prose)
  const found = PATTERNS.flatMap(([instead, pattern]) =>
    [...plain.matchAll(pattern)].map(({ 0: match, index }) => ({
      line: plain.slice(0, index).split('\n').length,
      words: text.slice(index, index + match.length).replace(/\s+(?:[/*]+\s)?\s*/g, ' '),
      instead,
    })),
  )
  return { words, found: found.sort((a, b) => a.line - b.line) }
}

const SKIPPED = /^(?:node_modules|dist|coverage|\.git|\.matrix|api)$/

function* filesIn(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory() && !SKIPPED.test(entry.name)) yield* filesIn(path)
    else if (entry.isFile() && (SOURCE.test(entry.name) || entry.name.endsWith('.md'))) yield path
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = resolve(process.argv[2] ?? '.')
  let words = 0
  let count = 0
  for (const path of filesIn(root)) {
    const result = mannerisms(path, readFileSync(path, 'utf8'))
    words += result.words
    count += result.found.length
    for (const finding of result.found) {
      console.log(`${relative(root, path)}:${finding.line}: ${finding.words} -> ${finding.instead}`)
    }
  }
  const rate = (1000 * count) / Math.max(words, 1)
  console.log(`${count} mannerisms in ${words} words: ${rate.toFixed(2)} per 1,000, at most ${LIMIT}`)
  process.exitCode = rate > LIMIT ? 1 : 0
}
