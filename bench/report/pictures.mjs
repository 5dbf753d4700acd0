export async function drawPictures() {
  return []
}
