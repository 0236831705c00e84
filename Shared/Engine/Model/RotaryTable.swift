internal import Glibc

/// Cosines and sines of the rotary positions 0 ..< length, `headSize / 2` of each a position (RoFormer, arXiv 2104.09864).
final class RotaryTable: Sendable {
    let cosines: FloatBuffer
    let sines: FloatBuffer
    let length: Int
    let half: Int

    init(_ configuration: ModelConfiguration, length: Int) {
        self.length = length
        half = configuration.headSize / 2
        cosines = FloatBuffer(length * half)
        sines = FloatBuffer(length * half)
        for pair in 0..<half {
            let plain = pow(configuration.ropeTheta, -Double(2 * pair) / Double(configuration.headSize))
            // Frequencies and angles in single precision, as the implementations have them that the weights were trained with.
            let frequency = Float(configuration.ropeScaling?.scaled(plain) ?? plain)
            for position in 0..<length {
                let angle = Double(Float(position) * frequency)
                cosines.base[position * half + pair] = Float(cos(angle))
                sines.base[position * half + pair] = Float(sin(angle))
            }
        }
    }
}
