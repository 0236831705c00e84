/// How rotary position frequencies are changed for contexts longer than those of the first training.
///
/// Given the plain frequency f = theta^(-2i / headSize) of the i-th pair of dimensions.
public enum RoPEScaling: Sendable, Hashable {
    /// f / factor (position interpolation, arXiv 2306.15595).
    case linear(factor: Double)
    /// Llama 3.1's: wavelengths (2π / f) shorter than `originalContext / highFrequencyFactor` stay, those longer than
    /// `originalContext / lowFrequencyFactor` are divided by the factor, those between are blended linearly in their frequency.
    case llama3(factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, originalContext: Int)

    /// The frequency to use for a plain frequency.
    public func scaled(_ frequency: Double) -> Double {
        switch self {
        case .linear(let factor): return frequency / factor
        case .llama3(let factor, let low, let high, let original):
            let wavelength = 2 * Double.pi / frequency
            if wavelength < Double(original) / high { return frequency }
            if wavelength > Double(original) / low { return frequency / factor }
            let smooth = (Double(original) / wavelength - low) / (high - low)
            return (1 - smooth) * frequency / factor + smooth * frequency
        }
    }
}
