import { describe, expect, it } from 'vitest'
import { createPool } from '../../visualizations/playground/page/pool.ts'

/** Creates tasks that a test ends. */
function createTasks() {
  const started: string[] = []
  const ends = new Map<string, { resolve: (value: string) => void; reject: (error: Error) => void }>()
  const task = (name: string) => () => {
    started.push(name)
    return new Promise<string>((resolve, reject) => ends.set(name, { resolve, reject }))
  }
  return { started, ends, task }
}

describe('createPool', () => {
  it('runs a limited number of tasks at once, and starts the next when one ends or fails', async () => {
    const { started, ends, task } = createTasks()
    const run = createPool(2)
    const [one, two, three, four] = ['one', 'two', 'three', 'four'].map((name) => run(task(name)))
    expect(started).toEqual(['one', 'two'])
    ends.get('two')?.reject(new Error('two failed'))
    await expect(two).rejects.toThrow('two failed')
    expect(started).toEqual(['one', 'two', 'three'])
    ends.get('one')?.resolve('one')
    await expect(one).resolves.toBe('one')
    expect(started).toEqual(['one', 'two', 'three', 'four'])
    ends.get('three')?.resolve('three')
    ends.get('four')?.resolve('four')
    expect(await Promise.all([three, four])).toEqual(['three', 'four'])
  })

  it('keeps its limit after tasks that throw', async () => {
    const run = createPool(1)
    const thrown = async () => {
      throw new Error('at once')
    }
    await Promise.allSettled(Array.from({ length: 10 }, () => run(thrown)))
    const { started, task } = createTasks()
    void run(task('first'))
    void run(task('second'))
    await Promise.resolve()
    expect(started).toEqual(['first'])
  })
})
