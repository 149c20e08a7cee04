/**
 * One coordinate of something that moves, as a constant-velocity Kalman filter knows it. Lengths are in whatever
 * unit the caller measures in, time in seconds, so frames may come at any pace and with gaps.
 */
export interface Motion {
  readonly position: number;
  /** Units per second. */
  readonly velocity: number;
  /** How sure the two are: variances, and the covariance between them. */
  readonly positionVariance: number;
  readonly covariance: number;
  readonly velocityVariance: number;
}

/** A first sighting: the place is measured, the velocity is anybody's guess around zero. Deviations are standard deviations. */
export function startMotion(position: number, positionDeviation: number, velocityDeviation: number): Motion {
  return {
    position,
    velocity: 0,
    positionVariance: positionDeviation ** 2,
    covariance: 0,
    velocityVariance: velocityDeviation ** 2,
  };
}

/**
 * Where it is `seconds` later if it keeps its velocity, and how much less sure that is.
 *
 * The noise is the continuous white-noise acceleration model (Bar-Shalom, Li, Kirubarajan, "Estimation with
 * Applications to Tracking and Navigation", 2001, 6.2.2), so two steps of 0.1 s equal one of 0.2 s.
 *
 * @param drift How fast the velocity wanders: its standard deviation after one second, units per second.
 */
export function predictMotion(motion: Motion, seconds: number, drift: number): Motion {
  const { position, velocity, positionVariance, covariance, velocityVariance } = motion;
  const density = drift ** 2;
  return {
    position: position + velocity * seconds,
    velocity,
    positionVariance:
      positionVariance + 2 * covariance * seconds + velocityVariance * seconds ** 2 + (density * seconds ** 3) / 3,
    covariance: covariance + velocityVariance * seconds + (density * seconds ** 2) / 2,
    velocityVariance: velocityVariance + density * seconds,
  };
}

/** Takes in a new sighting at `measured`, trusted to `deviation` units. */
export function correctMotion(motion: Motion, measured: number, deviation: number): Motion {
  const { position, velocity, positionVariance, covariance, velocityVariance } = motion;
  const innovationVariance = positionVariance + deviation ** 2;
  const positionGain = positionVariance / innovationVariance;
  const velocityGain = covariance / innovationVariance;
  const innovation = measured - position;
  return {
    position: position + positionGain * innovation,
    velocity: velocity + velocityGain * innovation,
    positionVariance: (1 - positionGain) * positionVariance,
    covariance: (1 - positionGain) * covariance,
    velocityVariance: velocityVariance - velocityGain * covariance,
  };
}
