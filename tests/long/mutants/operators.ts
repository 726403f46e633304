/**
 * The changes that are made to code, each at one place.
 * @module
 */

import ts from "typescript";

/** One change of a source text. */
export interface Change {
  /** What kind of change; two changes of one kind never have the same place. */
  readonly operator: string;
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

type Edit = (operator: string, node: ts.Node, replacement: string) => void;

const { SyntaxKind } = ts;

/** Operators that are exchanged, by the text of each. */
const SWAPS: Readonly<Record<string, string>> = {
  ...{ "<": "<=", "<=": "<", ">": ">=", ">=": ">", "===": "!==", "!==": "===", "&&": "||", "||": "&&" },
  ...{ "+": "-", "-": "+", "*": "/", "/": "*", "%": "*", "+=": "-=", "-=": "+=", "**": "*", "??=": "=" },
  ...{ "^": "&", "&": "|", "|": "&", ">>>": "<<", "<<": ">>>" },
};

/** Methods that are exchanged. */
const METHODS: Readonly<Record<string, string>> = {
  ...{ min: "max", max: "min", some: "every", every: "some", shift: "pop", pop: "shift", push: "unshift" },
  ...{ startsWith: "endsWith", endsWith: "startsWith", floor: "ceil", ceil: "floor" },
};

function isText(node: ts.Node): boolean {
  return ts.isStringLiteralLike(node) || ts.isTemplateExpression(node) ||
    (ts.isBinaryExpression(node) && (isText(node.left) || isText(node.right)));
}

function changeBinary(node: ts.BinaryExpression, edit: Edit): void {
  const { left, right, operatorToken } = node;
  const text = operatorToken.getText();
  const swapped = SWAPS[text];
  // Joined texts are error texts, nearly always.
  if (swapped !== undefined && !(text === "+" && isText(node))) edit(`${text} to ${swapped}`, operatorToken, swapped);
  if (text === "??") edit("drop the default", node, left.getText());
  if (text === "&&" || text === "||") {
    edit("left side only", node, `(${left.getText()})`);
    edit("right side only", node, `(${right.getText()})`);
  }
}

function changeCondition(condition: ts.Expression | undefined, edit: Edit, isLoop: boolean): void {
  if (condition === undefined || condition.kind === SyntaxKind.TrueKeyword) return;
  if (!isLoop) edit("negate", condition, `!(${condition.getText()})`);
  if (!isLoop) edit("always", condition, "true");
  edit("never", condition, "false");
}

function changeNumber(node: ts.NumericLiteral, edit: Edit): void {
  const value = Number(node.text);
  edit("one more", node, `${value + 1}`);
  if (value > 0) edit("one less", node, `${value - 1}`);
}

function changeCall(node: ts.CallExpression, edit: Edit): void {
  const { expression, arguments: given } = node;
  if (!ts.isPropertyAccessExpression(expression)) return;
  const { name } = expression;
  const swapped = METHODS[name.text];
  if (swapped !== undefined) edit(`${name.text} to ${swapped}`, name, swapped);
  if (expression.expression.getText() !== "Math" || !/^(?:min|max)$/.test(name.text)) return;
  given.forEach((argument, index) => edit(`${name.text} is argument ${index + 1}`, node, `(${argument.getText()})`));
}

/** Changes the statements that can be left out without leaving a name undefined. */
function changeStatement(node: ts.Statement, edit: Edit): void {
  const isCall = ts.isExpressionStatement(node) && !/^super\b/.test(node.getText());
  const isJump = ts.isThrowStatement(node) || ts.isBreakStatement(node) || ts.isContinueStatement(node) ||
    (ts.isReturnStatement(node) && node.expression === undefined);
  if (isCall || isJump) edit("drop the statement", node, ";");
}

function changeFunction(body: ts.Block, edit: Edit): void {
  const [first] = body.statements;
  // A constructor whose super() is missing throws, and a body without statements has nothing to leave out.
  if (first === undefined || /\bsuper\(/.test(body.getText())) return;
  edit("return at once", first, `return; ${first.getText()}`);
}

function change(node: ts.Node, edit: Edit): void {
  if (ts.isBinaryExpression(node)) changeBinary(node, edit);
  else if (ts.isIfStatement(node) || ts.isWhileStatement(node)) {
    changeCondition(node.expression, edit, ts.isWhileStatement(node));
  } else if (ts.isForStatement(node)) changeCondition(node.condition, edit, true);
  else if (ts.isConditionalExpression(node)) changeCondition(node.condition, edit, false);
  else if (ts.isNumericLiteral(node)) changeNumber(node, edit);
  else if (ts.isCallExpression(node)) changeCall(node, edit);
  else if (ts.isAwaitExpression(node)) edit("drop await", node, node.expression.getText());
  else if (node.kind === SyntaxKind.TrueKeyword) edit("true to false", node, "false");
  else if (node.kind === SyntaxKind.FalseKeyword) edit("false to true", node, "true");
  else if (ts.isPrefixUnaryExpression(node)) changePrefix(node, edit);
  else if (ts.isPostfixUnaryExpression(node)) {
    edit("++ and --", node, node.operand.getText() + (node.operator === SyntaxKind.PlusPlusToken ? "--" : "++"));
  }
  if (node.kind === SyntaxKind.QuestionDotToken) {
    const next = node.parent.getChildren()[2];
    edit(
      "drop ?.",
      node,
      next !== undefined && ts.isIdentifier(next) || next?.kind === SyntaxKind.PrivateIdentifier ? "." : "",
    );
  }
  if (ts.isStatement(node)) changeStatement(node, edit);
  if (ts.isFunctionLike(node) && "body" in node && node.body !== undefined && ts.isBlock(node.body as ts.Node)) {
    changeFunction(node.body as ts.Block, edit);
  }
}

function changePrefix(node: ts.PrefixUnaryExpression, edit: Edit): void {
  const { operator, operand } = node;
  if (operator === SyntaxKind.ExclamationToken) edit("drop !", node, operand.getText());
  else if (operator === SyntaxKind.MinusToken) edit("drop -", node, operand.getText());
  else if (operator === SyntaxKind.PlusPlusToken) edit("++ and --", node, `--${operand.getText()}`);
  else if (operator === SyntaxKind.MinusMinusToken) edit("++ and --", node, `++${operand.getText()}`);
}

/** Types do not run, and the texts of errors are not part of the API. */
function isLeftOut(node: ts.Node): boolean {
  return ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) ||
    ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isTemplateExpression(node) ||
    (ts.isPropertyAssignment(node.parent) && node.parent.name === node);
}

/** The last source that was parsed: one is asked about many times in a row. */
let last: { readonly text: string; readonly file: ts.SourceFile } | undefined;

function parse(text: string): ts.SourceFile {
  if (last?.text !== text) {
    last = { text, file: ts.createSourceFile("a.ts", text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TS) };
  }
  return last.file;
}

/** Tells whether a text is TypeScript. Types are not looked at. */
export function isParsed(text: string): boolean {
  const { diagnostics = [] } = ts.transpileModule(text, {
    reportDiagnostics: true,
    compilerOptions: { target: ts.ScriptTarget.Latest, module: ts.ModuleKind.ESNext },
  });
  return diagnostics.length === 0;
}

/** Applies a change. */
export function applyChange(
  source: string,
  { start, end, replacement }: Pick<Change, "start" | "end" | "replacement">,
): string {
  return source.slice(0, start) + replacement + source.slice(end);
}

/** Finds every change that can be made to a source, in the order of their places. */
export function findChanges(source: string): Change[] {
  const found = new Map<string, Change>();
  const edit: Edit = (operator, node, replacement) => {
    const [start, end] = [node.getStart(), node.getEnd()];
    if (source.slice(start, end) !== replacement) {
      found.set(`${start} ${end} ${operator}`, { operator, start, end, replacement });
    }
  };
  const visit = (node: ts.Node): void => {
    if (isLeftOut(node)) return;
    change(node, edit);
    // All children, tokens included; of a `throw`, whose texts do not count, none.
    if (!ts.isThrowStatement(node)) node.getChildren().forEach(visit);
  };
  parse(source).statements.forEach(visit);
  return [...found.values()].toSorted((left, right) => left.start - right.start);
}

/**
 * Finds the first and the last line, from 1, of the innermost function of more than one line around a place; those of
 * the whole source outside of functions.
 */
export function functionLines(source: string, place: number): readonly [first: number, last: number] {
  const file = parse(source);
  const lineOf = (index: number): number => file.getLineAndCharacterOfPosition(index).line + 1;
  let found: readonly [number, number] = [1, lineOf(source.length)];
  const visit = (node: ts.Node): void => {
    if (place < node.getFullStart() || place >= node.getEnd()) return;
    const span = [lineOf(node.getStart()), lineOf(node.getEnd())] as const;
    if (ts.isFunctionLike(node) && span[0] < span[1]) found = span;
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}
