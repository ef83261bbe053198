// What somebody chose or dropped, folders with all that is in them: each file with the path that its key ends in.

export interface Chosen {
  file: File;
  /** With the names of the folders that it was found in. */
  path: string;
}

export function fromList(files: Iterable<File>): Chosen[] {
  return Array.from(files, (file) => ({ file, path: file.webkitRelativePath || file.name }));
}

/** What was dropped is only there to be asked for until the event is over; folders are read after it. */
export async function fromDrop(dropped: DataTransfer): Promise<Chosen[]> {
  const entries = Array.from(dropped.items, (item) => item.webkitGetAsEntry());
  if (entries.every((entry) => entry === null)) return fromList(dropped.files);
  const found: Chosen[] = [];
  for (const entry of entries) if (entry) found.push(...(await walk(entry, "")));
  return found;
}

async function walk(entry: FileSystemEntry, above: string): Promise<Chosen[]> {
  const path = above + entry.name;
  if (isFile(entry)) {
    const file = await new Promise<File>((found, failed) => entry.file(found, failed));
    return [{ file, path }];
  }
  if (!isFolder(entry)) return [];
  const reader = entry.createReader();
  const found: Chosen[] = [];
  for (;;) {
    // A folder is read in pieces; an empty one is its end.
    const piece = await new Promise<FileSystemEntry[]>((read, failed) => reader.readEntries(read, failed));
    if (piece.length === 0) return found;
    for (const each of piece) found.push(...(await walk(each, `${path}/`)));
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}
