/** The playground on its page: a whole page of its own, in a frame as wide as the window. */
import { useData, withBase } from 'vitepress'
import { defineComponent, h, onMounted, ref, watch } from 'vue'

export const Playground = defineComponent(() => {
  const { isDark } = useData()
  const frame = ref<HTMLIFrameElement>()

  /** Gives the frame the theme of the site, which has a switch. */
  const paint = () => {
    const page = frame.value?.contentDocument
    const theme = isDark.value ? 'dark' : 'light'
    // A frame that is still loading may have no root element.
    const root: HTMLElement | null | undefined = page?.documentElement
    root?.style.setProperty('color-scheme', theme)
    page?.querySelector('authchart-devtools')?.setAttribute('theme', theme)
  }

  onMounted(paint)
  watch(isDark, paint)
  return () =>
    h('iframe', {
      ref: frame,
      class: 'playground-frame',
      src: withBase('/play/index.html'),
      title: 'The playground',
      onLoad: paint,
    })
})
