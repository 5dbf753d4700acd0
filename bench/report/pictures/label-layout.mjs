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
 * @returns the same with `label`: {x, y} of its middle, and {x, y} of where its leader ends, if it has one
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
    const places = RINGS.flatMap(ring => DIRECTIONS.map(degrees => candidate(dot, ring, degrees, size)))
    const free = places.filter(
      place => isInside(place.box, width, height) && !taken.some(other => overlap(other, place.box)),
    )
    // Where all is full, a name on top of others is better than none.
    const label = free.find(({ leader }) => !leader || !crosses(dot, leader, taken)) ?? free[0] ?? places[0]
    taken.push(label.box)
    return { ...dot, label }
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

/** Whether the line from a dot to its name runs over another name or dot. */
function crosses(dot, leader, taken) {
  const steps = Array.from({ length: 12 }, (_, i) => (i + 1) / 12)
  const points = steps.map(share => ({
    x: dot.x + share * (leader.x - dot.x),
    y: dot.y + share * (leader.y - dot.y),
  }))
  return points
    .filter(({ x, y }) => Math.hypot(x - dot.x, y - dot.y) > 2 * DOT_RADIUS)
    .some(({ x, y }) => taken.some(other => other.bottom - other.top > 2 && overlap(other, box(x, y, 1, 1))))
}

function box(left, top, width, height) {
  return { left, top, right: left + width, bottom: top + height }
}

function isInside(place, width, height) {
  return place.left >= 0 && place.right <= width && place.top >= 0 && place.bottom <= height
}

function overlap(a, b) {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
}
