import type { Bench } from './bench.ts';
import type { LoadParameters, ParameterSpecs, Values } from './parameters.ts';

/** At least one. */
export type Some<T> = readonly [T, ...T[]];

/** What is claimed. */
export interface Claim {
  /** A sentence that can be false. */
  readonly says: string;
  /** Who claims it, with where: "gRPC documentation, guides/deadlines". */
  readonly by: string;
}

/** What a reader is told before and after a run. */
export interface Description {
  /** The question that is answered. */
  readonly question: string;
  /** What is done. */
  readonly method: string;
  /** How the figures are read. */
  readonly reading: string;
  /** What it does not show, a sentence each; every result repeats them. */
  readonly limits: Some<string>;
}

/** A figure that every arm has, one value for each repetition. */
export interface Figure {
  readonly title: string;
  /** "ms", "calls", "share" (from 0 to 1); empty for a ratio. */
  readonly unit: string;
  /** Measured by the lab's own clock: no verdict rests on it when the lab was saturated. */
  readonly latency?: true;
}

/** What one repetition of an arm gives: a number for each figure of the scenario. */
export type Figures<FigureName extends string> = Readonly<Record<FigureName, number>>;

/** One way of doing it. */
export interface Arm<Parameters, FigureName extends string, ArmName extends string> {
  /** Short, for tables: "propagated". */
  readonly name: ArmName;
  /** What it does, in a line. */
  readonly title: string;
  /** Does it once, for as long as the parameters say, by the means of the bench; rejects when the bench's signal aborts. */
  run(bench: Bench<Parameters>): Promise<Figures<FigureName>>;
}

/**
 * Makes the arms of a scenario that run in the same way: what tells one from another is its `way`.
 *
 *     const arm = armBy(async ({ load }: Bench<typeof parameters>, propagates: boolean) => figuresOf(await load(…)));
 */
export const armBy =
  <Parameters, FigureName extends string, Way>(run: (bench: Bench<Parameters>, way: Way) => Promise<Figures<FigureName>>) =>
  <const ArmName extends string>(name: ArmName, title: string, way: Way): Arm<Parameters, FigureName, ArmName> => ({
    name,
    title,
    run: bench => run(bench, way),
  });

/** Every figure of every arm, one value for each repetition in their order. Plain data, so that a test can break it. */
export type Measured<ArmName extends string, FigureName extends string> = Readonly<
  Record<ArmName, Readonly<Record<FigureName, readonly number[]>>>
>;

/** What a check has seen. */
export interface Observation {
  readonly passed: boolean;
  /** The number beside its limit: "99.2 % of calls". */
  readonly observed: string;
}

/** Something that must be so if the claim holds, and that can fail. */
export interface Check<ArmName extends string, FigureName extends string> {
  /** A sentence with its limit: "The budget falls from hop to hop in 100 % of calls". */
  readonly says: string;
  test(measured: Measured<ArmName, FigureName>): Observation;
}

/** The number that is told first: one figure of two arms, side by side. */
export interface Headline<ArmName extends string, FigureName extends string> {
  readonly figure: FigureName;
  /** The arm that the claim is about. */
  readonly arm: ArmName;
  /** The control that it is compared with. The verdict is refused when repetitions differ by more than the two arms do. */
  readonly control: ArmName;
}

/** The parameters of a quick run; {@link QUICK} has those that a scenario does not set. */
export interface QuickSettings<Parameters extends ParameterSpecs & LoadParameters> {
  readonly local: Partial<Values<Parameters>>;
  /** What is different in a cluster. */
  readonly cluster?: Partial<Values<Parameters>>;
}

/** As little load as shows something. */
export const QUICK = { rate: 10, seconds: 1, repetitions: 2 } as const;

/** What only a cluster can show. A local run leaves it out, and says so in its result. */
export interface InCluster<
  Parameters extends ParameterSpecs & LoadParameters,
  FigureName extends string,
  ArmName extends string,
  ClusterArmName extends string,
> {
  /** What a local run lacks: "there is no kube-proxy". */
  readonly because: string;
  /** More controls. What is outside of this does not know their figures. */
  readonly controls: Some<Arm<Parameters, FigureName, ClusterArmName>>;
  /** The checks that need them. */
  readonly checks: Some<Check<NoInfer<ArmName> | NoInfer<ClusterArmName>, NoInfer<FigureName>>>;
}

/** A claim, and how it is put to the test. A file in scenarios/ exports one, under the name `scenario`, made by {@link defineScenario}. */
export interface Scenario<
  Parameters extends ParameterSpecs & LoadParameters,
  FigureName extends string,
  ArmName extends string,
  ClusterArmName extends string = never,
> {
  /** The file's name. */
  readonly name: string;
  readonly claim: Claim;
  readonly describe: Description;
  /** What can be set: `loadParameters(...)` and the scenario's own. */
  readonly parameters: Parameters;
  /** What a quick run sets: one with as little load as shows the same. */
  readonly quick?: QuickSettings<NoInfer<Parameters>>;
  /** Whether a run replaces pods. What is new is slow for a while, so quick runs begin with the other scenarios. */
  readonly replacesPods?: true;
  readonly figures: Readonly<Record<FigureName, Figure>>;
  readonly arms: Some<Arm<Parameters, FigureName, ArmName>>;
  /** The same without what the claim is about. A control that does well shows that the claim, or the measurement, is wrong. */
  readonly controls: Some<Arm<Parameters, FigureName, ArmName>>;
  readonly headline: Headline<NoInfer<ArmName>, NoInfer<FigureName>>;
  readonly checks: Some<Check<NoInfer<ArmName>, NoInfer<FigureName>>>;
  /** On what the claim depends, when it neither simply holds nor fails; undefined when it does not depend on anything. */
  readonly depends?: (measured: Measured<ArmName, FigureName>) => string | undefined;
  readonly inCluster?: InCluster<Parameters, FigureName, ArmName, ClusterArmName>;
}

/** A scenario of which only the shape is known. */
export type WholeScenario = Scenario<ParameterSpecs & LoadParameters, string, string, string>;

/** A scenario as it is run in one mode: scenario-in-mode.ts makes it of the whole. */
export type AnyScenario = Omit<WholeScenario, 'inCluster'> & { readonly inCluster?: never };

/** Checks a scenario's types; one without a check or without a control does not compile. */
export function defineScenario<
  const Parameters extends ParameterSpecs & LoadParameters,
  const FigureName extends string,
  const ArmName extends string,
  const ClusterArmName extends string = never,
>(
  scenario: Scenario<Parameters, FigureName, ArmName, ClusterArmName>,
): Scenario<Parameters, FigureName, ArmName, ClusterArmName> {
  return scenario;
}
