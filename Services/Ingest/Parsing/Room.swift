// The room is furnished file by file.
