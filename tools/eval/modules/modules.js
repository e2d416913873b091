// For texts that are no scripts; made only where there is one, before anybody's code runs; `names` is what there is.
//
// import and export lines: what they name is there already, so that they become declarations, line by line as they were.

const MODULES = ['symphonyscript', 'symphonyscript/live', 'symphonyscript-live'];
const IMPORT = /^([ \t]*)import\s*(?:([\w$*{][^'"`;]*?)\s*from\s*)?(['"])([^'"\n]*)\3[ \t]*;?/gm;
const EXPORT = /^([ \t]*)export[ \t]+(?:default[ \t]+(?=\S)|(?=const\b|let\b|var\b|function\b|class\b|async\b)|(\{[^}]*\})[ \t]*;?)/gm;

function lineOf(source, at) {
  let line = 1;
  for (let i = 0; i < at; i++) if (source[i] === '\n') line++;
  return line;
}

function newlinesOf(text) {
  return text.replace(/[^\n]/g, '');
}

// 'A as B' gives what declares B; nothing where the names are one.
function declarationOf(words, at, source) {
  const [name, alias = name] = words.trim().split(/\s+as\s+/);
  if (name === '') return '';
  if (name !== '*' && name !== 'default' && !(name in names)) {
    throw { message: 'symphonyscript has no "' + name + '"', line: lineOf(source, at), column: 1 };
  }
  if (alias === name && name in names) return '';
  return 'const ' + alias + '=' + (name in names ? name : '{' + Object.keys(names).join(',') + '}') + ';';
}

// What stands for the source of a module; the source itself where it has no such lines.
function scriptOf(source) {
  const imported = source.replace(IMPORT, (all, space, names = '', quote, module, at) => {
    if (!MODULES.includes(module)) {
      throw { message: 'there is no module "' + module + '" here; there is "symphonyscript"', line: lineOf(source, at), column: 1 };
    }
    const [, single = '', several = ''] = /^([^{]*?),?\s*(?:\{([^}]*)\})?$/.exec(names) || [];
    const alone = single.trim() === '' || single.includes('*') ? single : 'default as ' + single;
    const parts = [alone, ...several.split(',')].map((words) => declarationOf(words, at, source));
    return space + parts.join('') + newlinesOf(all);
  });
  return imported.replace(EXPORT, (all, space, list) => (list === undefined ? all.replace(/[^\n]/g, ' ') : newlinesOf(all)));
}

return scriptOf;
