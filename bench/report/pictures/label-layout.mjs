/**
 * Places the names of dots so that none covers another name or a dot: each takes the nearest free place of those
 * around its dot, the crowded ones further out with a line to lead there. Vega's own label transform needs a canvas,
 * which Node has not.
 */
const GAP = 7
const RINGS = [0, 14, 28, 44, 62, 84, 110]
const DIRECTIONS = [0, 180, 270, 90, 315, 225, 45, 135, 290, 250, 70, 110, 340, 200, 20, 160]
const DOT_RADIUS = 5
const WIDTH_PER_LETTER = 0.54

/**
 * @param dots {x, y, x2, text, bold} in pixels, x2 where a line from the dot ends; the first ones choose first
 * @returns the same with `label`: {x, y, baseline 'middle', align, leader} where it found a place
 */
export function placeLabels(dots, { width, height, fontSize }) {
  const taken = dots.flatMap(({ x, y, x2 = x }) => [
    box(x - DOT_RADIUS, y - DOT_RADIUS, 2 * DOT_RADIUS, 2 * DOT_RADIUS),
    box(Math.min(x, x2), y - 1, Math.abs(x2 - x), 2),
  ])
  return dots.map(dot => {
    const size = {
      width: dot.text.length * fontSize * WIDTH_PER_LETTER * (dot.bold ? 1.08 : 1),
      height: fontSize + 2,
    }
    for (const ring of RINGS) {
      for (const degrees of DIRECTIONS) {
        const label = candidate(dot, ring, degrees, size)
        const inside =
          label.box.left >= 0 && label.box.right <= width && label.box.top >= 0 && label.box.bottom <= height
        if (!inside || taken.some(other => overlap(other, label.box))) continue
        taken.push(label.box)
        return { ...dot, label }
      }
    }
    return dot
  })
}

function candidate({ x, y }, ring, degrees, size) {
  const angle = (degrees * Math.PI) / 180
  const [dx, dy] = [Math.cos(angle), Math.sin(angle)]
  const reach = GAP + ring
  const sideways = Math.abs(dx) < 0.4 ? 0 : Math.sign(dx)
  const centreX = x + dx * reach + (sideways * size.width) / 2
  const centreY = y + dy * reach + (sideways === 0 ? (Math.sign(dy) * size.height) / 2 : 0)
  const place = box(centreX - size.width / 2, centreY - size.height / 2, size.width, size.height)
  const leader = ring > 0 && {
    x: sideways === 0 ? centreX : sideways > 0 ? place.left - 1 : place.right + 1,
    y: sideways === 0 ? (dy > 0 ? place.top : place.bottom) : centreY,
  }
  return { x: centreX, y: centreY, box: place, leader }
}

function box(left, top, width, height) {
  return { left, top, right: left + width, bottom: top + height }
}

function overlap(a, b) {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
}
