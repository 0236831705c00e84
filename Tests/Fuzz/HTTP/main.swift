print("no input")
