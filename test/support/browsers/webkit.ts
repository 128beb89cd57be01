/** WebKit for Linux, driven by its own WebDriver server, on a display of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '../free-port.ts'
import { programOf } from './engine.ts'
import type { Browser } from './tab.ts'
import { command, WebDriverProfile } from './webdriver.ts'

const LIBRARIES = '/usr/lib'

/** The browser that belongs to the engine. */
function miniBrowser(): string {
  const path = readdirSync(LIBRARIES)
    .flatMap((name) => (name.endsWith('-linux-gnu') ? [`${LIBRARIES}/${name}`] : []))
    .flatMap((folder) =>
      readdirSync(folder).flatMap((name) =>
        name.startsWith('webkit2gtk-') || name.startsWith('webkitgtk-')
          ? [`${folder}/${name}/MiniBrowser`]
          : [],
      ),
    )
    .sort()
    .at(-1)
  if (!path) throw new Error('The browser of WebKit was not found. Reinstall `webkit2gtk-driver`.')
  return path
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
}

/** Starts a display in memory. Returns its name. */
async function startDisplay() {
  const child = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1280x800x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  })
  const [number] = (await Promise.race([
    once(child.stdio[3] as Readable, 'data'),
    once(child, 'exit').then(() => {
      throw new Error('Xvfb did not start.')
    }),
  ])) as [Buffer]
  return { name: `:${String(number).trim()}`, stop: () => end(child) }
}

/** Starts a browser with an empty profile. */
async function startBrowser(display: string) {
  const port = await freePort()
  const child = spawn(programOf('webkit'), [`--port=${port}`], {
    stdio: 'ignore',
    env: {
      ...process.env,
      DISPLAY: display,
      GDK_BACKEND: 'x11',
      // The sandbox of a child process needs rights that a container does not have.
      WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
      WEBKIT_DISABLE_COMPOSITING_MODE: '1',
    },
  })
  const url = `http://127.0.0.1:${port}`
  while (!(await fetch(`${url}/status`).catch(() => undefined))?.ok) {
    if (child.exitCode !== null) throw new Error('WebKitWebDriver did not start.')
    await pause(20)
  }
  const options = { binary: miniBrowser(), args: ['--automation'] }
  const { sessionId } = (await command(`${url}/session`, 'POST', {
    capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': options } },
  })) as { sessionId: string }
  const session = `${url}/session/${sessionId}`
  return { session, window: (await command(`${session}/window`, 'GET')) as string, stop: () => end(child) }
}

/** Starts WebKit. Each profile is a process of its own. */
export async function launchWebKit(): Promise<Browser> {
  const display = await startDisplay()
  const profiles = new Set<WebDriverProfile>()
  return {
    contexts: () => [...profiles],
    async newContext() {
      const browser = await startBrowser(display.name)
      const profile: WebDriverProfile = new WebDriverProfile(browser.session, browser.window, () => {
        profiles.delete(profile)
        return browser.stop()
      })
      profiles.add(profile)
      return profile
    },
    async close() {
      await Promise.all([...profiles].map((profile) => profile.close()))
      await display.stop()
    },
  }
}
